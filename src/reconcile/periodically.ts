import type { Clock } from "../observe/clock.ts";
import type { Logger } from "../observe/logger.ts";

/** Does the work again and again until aborted, `ms` after it ended. A failure is logged; the next turn comes as always. */
export async function periodically(
  ms: number,
  work: (signal: AbortSignal) => Promise<void>,
  { clock, log, signal }: { clock: Clock; log: Logger; signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    try {
      await clock.sleep(ms, { signal });
      await work(signal);
    } catch (err) {
      if (signal.aborted) return;
      log.warn({ err }, "periodic work failed");
    }
  }
}
