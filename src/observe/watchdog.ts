import type { HealthCheck } from "./health.ts";

/** Knows which pieces of work have been going on for too long. */
export interface Watchdog {
  /** Runs `work` under the name. */
  watch<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** For liveness: names the piece that has taken longest, if it is over the limit. */
  readonly check: HealthCheck;
}

/** `limitMs` is what no piece of work takes while the process is sound; `now` in ms, only differences count. */
export function createWatchdog({ limitMs, now }: { limitMs: number; now: () => number }): Watchdog {
  // In the order of their beginning: the first is the oldest.
  const running = new Map<symbol, { name: string; since: number }>();
  return {
    async watch(name, work) {
      const key = Symbol(name);
      running.set(key, { name, since: now() });
      try {
        return await work();
      } finally {
        running.delete(key);
      }
    },
    check() {
      for (const { name, since } of running.values()) {
        const took = now() - since;
        return took > limitMs ? `${name} has been going on for ${Math.round(took / 1000)} s` : undefined;
      }
      return undefined;
    },
  };
}
