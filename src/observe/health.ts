/** Undefined when all is well, else why not, in words. */
export type HealthCheck = () => string | undefined;

/** Named checks of a program. */
export interface Health {
  /** What has to hold or else the process should be restarted. */
  addLiveness(name: string, check: HealthCheck): void;
  /** What has to hold for the process to do its work. */
  addReadiness(name: string, check: HealthCheck): void;
  liveness(): HealthReport;
  readiness(): HealthReport;
}

export interface HealthReport {
  readonly ok: boolean;
  readonly checks: readonly { readonly name: string; readonly problem: string | undefined }[];
}

/** No checks: alive and ready. */
export function createHealth(): Health {
  const live = new Map<string, HealthCheck>();
  const ready = new Map<string, HealthCheck>();
  return {
    addLiveness: (name, check) => void live.set(name, check),
    addReadiness: (name, check) => void ready.set(name, check),
    liveness: () => reportOf(live),
    readiness: () => reportOf(ready),
  };
}

function reportOf(checks: ReadonlyMap<string, HealthCheck>): HealthReport {
  const results = [...checks].map(([name, check]) => ({ name, problem: check() }));
  return { ok: results.every(({ problem }) => problem === undefined), checks: results };
}

/** Text as Kubernetes' own endpoints give it: one line a check. */
export function formatHealth({ ok, checks }: HealthReport): string {
  const lines = checks.map(({ name, problem }) => (problem === undefined ? `[+]${name} ok` : `[-]${name} failed: ${problem}`));
  return `${[...lines, ok ? "ok" : "failed"].join("\n")}\n`;
}
