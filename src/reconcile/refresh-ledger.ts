import { addressBlocks } from "../crd/resources.ts";
import type { KubeClient } from "../kube/client.ts";
import type { BlockLedger } from "./block-ledger.ts";

export interface RefresherDeps {
  readonly client: Pick<KubeClient, "list">;
  readonly ledger: BlockLedger;
  /** Milliseconds; only differences count. */
  readonly now: () => number;
}

/** Compares the ledger with a consistent list of all blocks that began at most `maxAgeMs` ago. */
export type RefreshLedger = (options: { readonly maxAgeMs: number; readonly signal: AbortSignal }) => Promise<void>;

/**
 * Makes the function. One list is read at a time, and callers share those that are new enough for them, so that a thousand requests
 * to a full pool cost one list a second.
 */
export function createLedgerRefresher({ client, ledger, now }: RefresherDeps): RefreshLedger {
  let last = { at: Number.NEGATIVE_INFINITY, done: Promise.resolve() };
  let running = false;
  /** Begins when the running one has ended. */
  let next: Promise<void> | undefined;

  const start = (signal: AbortSignal): Promise<void> => {
    running = true;
    const done = ledger
      .resync(async () => (await client.list(addressBlocks, {}, { signal })).items)
      .finally(() => {
        running = false;
      });
    const mine = { at: now(), done };
    last = mine;
    // A failed read is no knowledge: the next caller reads again.
    done.catch(() => {
      if (last === mine) last = { at: Number.NEGATIVE_INFINITY, done: Promise.resolve() };
    });
    return done;
  };

  return ({ maxAgeMs, signal }) => {
    if (last.at >= now() - maxAgeMs) return last.done;
    if (!running) return start(signal);
    next ??= last.done
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return start(signal);
      });
    return next;
  };
}
