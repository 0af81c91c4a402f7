import { addressBlocks } from "../crd/resources.ts";
import type { KubeClient } from "../kube/client.ts";
import type { BlockLedger } from "./block-ledger.ts";

export interface RefresherDeps {
  readonly client: Pick<KubeClient, "list">;
  readonly ledger: BlockLedger;
  /** Milliseconds; only differences count. */
  readonly now: () => number;
}

/** A read that began this long ago is still good for whoever asks, in ms. */
const FRESH_MS = 1_000;

/**
 * Gives a function that compares the ledger with a consistent list of all blocks. Callers at one time share one list, and one that
 * began less than a second ago is not repeated, so that a thousand requests to a full pool cost one list a second.
 */
export function createLedgerRefresher({ client, ledger, now }: RefresherDeps): (signal: AbortSignal) => Promise<void> {
  let last: { readonly at: number; readonly done: Promise<void> } | undefined;
  return (signal) => {
    if (last && now() - last.at < FRESH_MS) return last.done;
    const done = ledger.resync(async () => (await client.list(addressBlocks, {}, { signal })).items);
    const mine = { at: now(), done };
    last = mine;
    // A failed read is no knowledge: the next caller reads again.
    done.catch(() => {
      if (last === mine) last = undefined;
    });
    return done;
  };
}
