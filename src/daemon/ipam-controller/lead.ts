import { runTogether } from "../../observe/run.ts";
import { periodically } from "../../reconcile/periodically.ts";
import { deleteStaleRequests } from "../../reconcile/stale-requests.ts";
import { namedCaches } from "./caches.ts";
import { createDispatcher } from "./dispatch.ts";
import { createWorkers, type WorkerDeps, type WorkerOptions, type Workers } from "./workers.ts";

export interface LeadOptions extends WorkerOptions {
  /** Time between two full comparisons with the API server, ms. */
  readonly gcIntervalMs: number;
}

/** How long work under way may go on after the lead has ended, in ms: a lost Lease can be another's 5 s later at the earliest. */
const FINISH_MS = 4_000;
/** After this time, in ms, no creation whose reply was lost can still happen: the API server gives up after 60 s. */
const LOST_REPLY_MS = 90_000;
const ABANDON_INTERVAL_MS = 30_000;
const FIRST_READ_RETRY_MS = 500;

/** Does the work of the leader until aborted. Begins when the caches are synced and all blocks have been read directly. */
export async function leadIpam(deps: WorkerDeps, options: LeadOptions, signal: AbortSignal): Promise<void> {
  const { caches, clock, elapsed, log, metrics } = deps;
  await raceAbort(signal, Promise.all(namedCaches(caches).map(({ cache }) => cache.synced)));
  using finishing = finishingSignal(signal);
  const workers = createWorkers(deps, options, finishing.signal);
  using dispatcher = createDispatcher(caches, workers, { elapsed });
  await readBlocks(deps, workers, signal);
  dispatcher.everything();
  metrics.setLeader({ names: workers.board.names, usage: (pool) => workers.ledger.usage(pool) });
  log.info({ pools: caches.pools.size, blocks: caches.blocks.size, requests: caches.requests.size }, "granting blocks");

  const collect = async (): Promise<void> => {
    await workers.refresh({ maxAgeMs: 0, signal });
    dispatcher.everything();
    const deleted = await deleteStaleRequests(deps.client, caches.requests.list(), { now: clock.now(), signal });
    metrics.requestsDeleted(deleted);
  };
  const abandon = async (): Promise<void> => {
    const wanted = new Set(caches.requests.list().map(({ metadata }) => metadata.uid));
    workers.ledger.abandon(elapsed() - LOST_REPLY_MS, (request) => wanted.has(request));
  };
  try {
    await runTogether(signal, [
      (aborted) => workers.requests.run(aborted),
      (aborted) => workers.pools.run(aborted),
      (aborted) => workers.nodes.run(aborted),
      (aborted) => periodically(options.gcIntervalMs, collect, { clock, log, signal: aborted }),
      (aborted) => periodically(ABANDON_INTERVAL_MS, abandon, { clock, log, signal: aborted }),
    ]);
  } finally {
    metrics.setLeader(undefined);
  }
}

/** Fills the ledger from a consistent read, however long the API server takes to give one. */
async function readBlocks({ clock, log }: WorkerDeps, { refresh }: Workers, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      return await refresh({ maxAgeMs: 0, signal });
    } catch (err) {
      signal.throwIfAborted();
      log.warn({ err }, "cannot list the blocks: trying again");
      await clock.sleep(FIRST_READ_RETRY_MS, { signal });
    }
  }
}

/** A signal that follows the other one some seconds later, for what is better finished than broken off. */
function finishingSignal(signal: AbortSignal): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    timer = setTimeout(() => controller.abort(signal.reason), FINISH_MS);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      signal.removeEventListener("abort", onAbort);
      clearTimeout(timer);
    },
  };
}

async function raceAbort(signal: AbortSignal, work: Promise<unknown>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.throwIfAborted();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
