import type { Clock } from "../../observe/clock.ts";
import type { Logger } from "../../observe/logger.ts";

/** Tells of state that others altered and that was put back: counts all, and does not repeat itself in the log. */
export interface DriftJournal {
  /** `what` is for people, for example `route 10.2.0.5/32`; `kind` is the metric's label. */
  repaired(kind: string, what: string, fields?: Record<string, unknown>): void;
  /** Something could not be put back. */
  failed(what: string, error: unknown): void;
}

/** Until then the same thing is not told again: who fights us does so often. */
const QUIET_MS = 60_000;
const MOST_REMEMBERED = 1000;

/** A journal that writes to `log` and calls `count` for each repair. */
export function createDriftJournal({
  log,
  clock,
  count,
}: {
  log: Logger;
  clock: Clock;
  count: (kind: string) => void;
}): DriftJournal {
  const told = new Map<string, number>();

  function isNews(what: string): boolean {
    const now = clock.now();
    const before = told.get(what);
    if (before !== undefined && now - before < QUIET_MS) return false;
    if (told.size >= MOST_REMEMBERED) told.clear();
    told.set(what, now);
    return true;
  }

  return {
    repaired(kind, what, fields = {}) {
      count(kind);
      if (isNews(what)) log.warn({ ...fields, kind, what }, "put back what somebody else had removed or altered");
    },
    failed(what, error) {
      if (isNews(`${what} ${String(error)}`))
        log.error({ err: error, what }, "cannot put back what somebody else removed or altered");
    },
  };
}
