import type { Clock } from "../observe/clock.ts";
import type { Logger } from "../observe/logger.ts";

export interface SyncLoopDeps {
  /** Brings everything to what is wanted now. A rejection is logged and tried again. */
  readonly sync: (signal: AbortSignal) => Promise<void>;
  readonly onFailure: () => void;
  readonly clock: Clock;
  readonly log: Logger;
  /** Time between two syncs when nothing changes, ms. */
  readonly intervalMs: number;
}

/** Does one thing over and over: soon after a change, and now and then without one. */
export interface SyncLoop {
  /** Something changed. Changes within a moment are one. */
  trigger(): void;
  /** Syncs at once, and then as needed until aborted. */
  run(signal: AbortSignal): Promise<void>;
}

/** How long to collect further changes, in ms. */
const COALESCE_MS = 50;
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;

/** Makes the loop. */
export function createSyncLoop({ sync, onFailure, clock, log, intervalMs }: SyncLoopDeps): SyncLoop {
  let wanted = true;
  let wake: () => void = () => undefined;

  /** Until the time has passed or, if `interruptible`, something changed. */
  const pause = async (ms: number, signal: AbortSignal): Promise<void> => {
    const stop = new AbortController();
    const onAbort = () => stop.abort();
    signal.addEventListener("abort", onAbort, { once: true });
    wake = onAbort;
    if (wanted || signal.aborted) stop.abort();
    await clock.sleep(ms, { signal: stop.signal }).catch(() => undefined);
    signal.removeEventListener("abort", onAbort);
  };

  return {
    trigger() {
      wanted = true;
      wake();
    },
    async run(signal) {
      let failures = 0;
      while (!signal.aborted) {
        wanted = false;
        const started = performance.now();
        try {
          await sync(signal);
          failures = 0;
        } catch (err) {
          if (signal.aborted) return;
          failures++;
          onFailure();
          log.error({ err, failures }, "cannot sync: trying again");
        }
        const took = performance.now() - started;
        await pause(failures > 0 ? Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), MAX_RETRY_MS) : intervalMs, signal);
        // With so many routes that a sync takes long, at most a third of the time goes into syncs.
        await clock.sleep(Math.max(COALESCE_MS, 2 * took), { signal }).catch(() => undefined);
      }
    },
  };
}
