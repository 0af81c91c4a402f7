import type { RouteReport } from "../../apply/routes/route-table.ts";
import { formatPrefix, type Prefix } from "../../ip/prefix.ts";
import { backoffMs } from "../../kube/backoff.ts";
import type { Clock } from "../../kube/clock.ts";
import type { Logger } from "../../observe/logger.ts";

/** Keeps the export table at what the node's blocks are. */
export interface BlockExports {
  /** The blocks have changed. */
  changed(): void;
  /** Resolves when the table has been written after this call, and none of `gone` is left in it. */
  withdrawn(gone: readonly Prefix[], options: { readonly signal: AbortSignal }): Promise<void>;
  /** Resolves when the table has been written once. */
  readonly ready: Promise<void>;
  /** Writes until aborted. */
  run(signal: AbortSignal): Promise<void>;
}

export interface BlockExportsDeps {
  readonly exporter: { apply(prefixes: readonly Prefix[]): Promise<Pick<RouteReport, "failed">> };
  /** What has to be exported at the moment. */
  readonly wanted: () => readonly Prefix[];
  readonly clock: Clock;
  readonly log: Logger;
}

interface Withdrawal {
  readonly gone: ReadonlySet<string>;
  readonly done: () => void;
}

const RETRY = { baseMs: 100, maxMs: 5_000 };

/** Nothing is written before it runs. */
export function createBlockExports({ exporter, wanted, clock, log }: BlockExportsDeps): BlockExports {
  const ready = Promise.withResolvers<void>();
  let withdrawals: Withdrawal[] = [];
  let dirty = true;
  let wake = () => {};

  const changed = () => {
    dirty = true;
    wake();
  };

  /** Returns whether everything is as wanted. */
  async function write(): Promise<boolean> {
    const asked = withdrawals;
    withdrawals = [];
    const { failed } = await exporter.apply(wanted()).catch((err: unknown) => {
      log.warn({ err }, "cannot write the export table: trying again");
      return { failed: undefined };
    });
    if (failed) ready.resolve();
    const left = new Set(failed?.map(({ destination }) => destination));
    for (const withdrawal of asked) {
      if (failed && left.isDisjointFrom(withdrawal.gone)) withdrawal.done();
      else withdrawals.push(withdrawal);
    }
    return failed !== undefined && withdrawals.length === 0;
  }

  return {
    changed,
    ready: ready.promise,
    async withdrawn(gone, { signal }) {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const leave = () => reject(signal.reason);
      signal.addEventListener("abort", leave, { once: true });
      withdrawals.push({ gone: new Set(gone.map(formatPrefix)), done: resolve });
      changed();
      try {
        await promise;
      } finally {
        signal.removeEventListener("abort", leave);
      }
    },
    async run(signal) {
      const stop = () => wake();
      signal.addEventListener("abort", stop);
      for (let failures = 0; !signal.aborted; ) {
        dirty = false;
        failures = (await write()) ? 0 : failures + 1;
        if (failures > 0) await clock.sleep(backoffMs(RETRY, failures), { signal }).catch(() => undefined);
        else if (!dirty && !signal.aborted) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        wake = () => {};
      }
      signal.removeEventListener("abort", stop);
    },
  };
}
