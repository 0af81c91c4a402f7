import type { KernelError } from "../../linux/kernel-error.ts";
import { deleteLink, deleteLinkGroup } from "../../linux/route/delete-link.ts";
import { setLink } from "../../linux/route/set-link.ts";
import type { RouteSocket } from "../../linux/route/socket.ts";
import type { Logger } from "../../observe/logger.ts";
import { DOOMED_LINK_GROUP } from "../../podnet/names.ts";

/**
 * Deletes host links of pods. The kernel takes about 20 ms for a deletion, however many links it is of, and answers only then: so
 * all that came while one was going on are put into one group and deleted together.
 */
export interface LinkRemover {
  /** Resolves when the kernel has no link of this index any more: `absent` when it had none. Rejects with `KernelError`. */
  remove(index: number): Promise<"removed" | "absent">;
  /** Whether a deletion of the link is under way. */
  isRemoving(index: number): boolean;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

interface Removal {
  readonly index: number;
  readonly result: PromiseWithResolvers<"removed" | "absent">;
}

/** `socket` should be used for nothing else: what waits behind a deletion waits long. */
export function createLinkRemover({ socket, log }: { socket: RouteSocket; log: Logger }): LinkRemover {
  const removals = new Map<number, Removal>();
  let waiting: Removal[] = [];
  let running: Promise<void> | undefined;

  async function work(): Promise<void> {
    // Whatever is asked for in the same turn of the event loop goes together.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      const outcomes = await removeAll(socket, batch, log);
      for (const { index, result } of batch) {
        removals.delete(index);
        const outcome = outcomes.get(index) ?? "absent";
        if (typeof outcome === "string") result.resolve(outcome);
        else result.reject(outcome);
      }
    }
    running = undefined;
  }

  return {
    remove(index) {
      const same = removals.get(index);
      if (same) return same.result.promise;
      const removal: Removal = { index, result: Promise.withResolvers() };
      removals.set(index, removal);
      waiting.push(removal);
      running ??= work();
      return removal.result.promise;
    },
    isRemoving: (index) => removals.has(index),
    async idle() {
      await running;
    },
  };
}

type Outcome = "removed" | "absent" | Error;

async function removeAll(socket: RouteSocket, batch: readonly Removal[], log: Logger): Promise<Map<number, Outcome>> {
  const indexes = batch.map(({ index }) => index);
  try {
    if (indexes.length === 1) return await removeEach(socket, indexes);
    const moved = await socket.tryBatch(indexes.flatMap((index) => setLink({ index, group: DOOMED_LINK_GROUP })));
    const there = indexes.filter((_, i) => !moved[i]);
    const odd = indexes.filter((_, i) => moved[i] && !isGone(moved[i]));
    const outcomes = new Map<number, Outcome>(there.map((index) => [index, "removed"]));
    if (there.length > 0) {
      const [failure] = await socket.tryBatch([deleteLinkGroup({ group: DOOMED_LINK_GROUP })]);
      if (failure && !isGone(failure)) {
        log.warn({ err: failure, links: there.length }, "cannot delete links together: deleting them one by one");
        odd.push(...there);
      }
    }
    for (const [index, outcome] of await removeEach(socket, odd)) outcomes.set(index, outcome);
    return outcomes;
  } catch (error) {
    // The kernel's answer is unknown: the caller must not take the links for gone.
    const failure = error instanceof Error ? error : new Error(String(error));
    return new Map(indexes.map((index) => [index, failure]));
  }
}

async function removeEach(socket: RouteSocket, indexes: readonly number[]): Promise<Map<number, Outcome>> {
  if (indexes.length === 0) return new Map();
  const results = await socket.tryBatch(indexes.map((index) => deleteLink({ index })));
  return new Map(indexes.map((index, i) => [index, results[i] ? (isGone(results[i]) ? "absent" : results[i]) : "removed"]));
}

function isGone(error: KernelError | undefined): boolean {
  return error?.code === "ENODEV";
}
