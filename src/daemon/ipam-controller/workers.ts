import type { BlockRequest } from "../../crd/block-request.ts";
import type { KubeClient } from "../../kube/client.ts";
import { createWorkQueue, type WorkQueue } from "../../kube/work-queue.ts";
import type { Clock } from "../../observe/clock.ts";
import type { KubeMetrics } from "../../observe/kube-metrics.ts";
import type { Logger } from "../../observe/logger.ts";
import type { Watchdog } from "../../observe/watchdog.ts";
import { createAddressPoolReconciler } from "../../reconcile/address-pools.ts";
import { type BlockLedger, createBlockLedger } from "../../reconcile/block-ledger.ts";
import { createBlockRequestReconciler } from "../../reconcile/block-requests.ts";
import type { GrantResult } from "../../reconcile/grant-block.ts";
import { createPoolBoard, type PoolBoard } from "../../reconcile/pool-board.ts";
import { createLedgerRefresher, type RefreshLedger } from "../../reconcile/refresh-ledger.ts";
import { createVanishedNodeReconciler } from "../../reconcile/vanished-nodes.ts";
import type { Caches } from "./caches.ts";
import type { ControllerMetrics } from "./metrics.ts";

export interface WorkerDeps {
  readonly client: KubeClient;
  readonly caches: Caches;
  readonly metrics: ControllerMetrics;
  readonly kubeMetrics: KubeMetrics;
  readonly watchdog: Watchdog;
  readonly clock: Clock;
  /** Milliseconds of a clock that nobody sets; only differences count. */
  readonly elapsed: () => number;
  readonly log: Logger;
}

export interface WorkerOptions {
  /** BlockRequests answered at the same time. */
  readonly workers: number;
  readonly vanishedNodeGraceMs: number;
}

/** What the leader knows, and the queues of what it has to do. */
export interface Workers {
  readonly ledger: BlockLedger;
  readonly board: PoolBoard;
  /** UID of a request -> when it was heard of, ms of `elapsed`. */
  readonly heardAt: Map<string, number>;
  readonly requests: WorkQueue<string>;
  readonly pools: WorkQueue<string>;
  readonly nodes: WorkQueue<string>;
  readonly refresh: RefreshLedger;
}

type Reconcile = (key: string, signal: AbortSignal) => Promise<{ requeueAfterMs: number } | undefined>;

/** Makes them, knowing nothing yet. Calls to the API server end by `finishing`, which outlasts the run of the queues. */
export function createWorkers(deps: WorkerDeps, options: WorkerOptions, finishing: AbortSignal): Workers {
  const { client, caches, log, metrics } = deps;
  const { elapsed } = deps;
  const now = () => deps.clock.now();
  const ledger = createBlockLedger({ now: elapsed });
  const board = createPoolBoard(ledger);
  const refresh = createLedgerRefresher({ client, ledger, now: elapsed });
  const heardAt = new Map<string, number>();
  const common = { client, now, log };
  const ofPools = { standing: board.standing, usage: (pool: string) => ledger.usage(pool) };

  const queue = (name: string, concurrency: number, work: Reconcile) =>
    createWorkQueue({
      ...{ name, concurrency, log, metrics: deps.kubeMetrics.queue(name) },
      reconcile: (key) => deps.watchdog.watch(`${name} ${key}`, () => work(key, finishing)),
      // A node waits 10 s for its block.
      backoff: { baseMs: 50, maxMs: 5_000 },
    });

  const onAnswer = ({ metadata: { uid = "" }, spec: { nodeName, poolName } }: BlockRequest, result: GrantResult) => {
    const heard = heardAt.get(uid);
    heardAt.delete(uid);
    metrics.answered({
      pool: board.standing(poolName) ? poolName : "",
      result: result.kind === "granted" ? "granted" : result.reason,
      durationMs: heard === undefined ? undefined : elapsed() - heard,
    });
    const fields = { node: nodeName, pool: poolName };
    if (result.kind === "granted") log.debug({ ...fields, block: result.block }, "block granted");
    else log.warn({ ...fields, reason: result.reason, detail: result.message }, "block refused");
  };
  const answer = createBlockRequestReconciler({ ...common, ...caches, ...ofPools, ledger, refresh, onAnswer });
  const keepPool = createAddressPoolReconciler({ ...common, ...ofPools, pools: caches.pools });
  const takeBack = createVanishedNodeReconciler({
    ...{ client, log, now: elapsed, nodes: caches.nodes },
    graceMs: options.vanishedNodeGraceMs,
    blocksOf: (node) => caches.blocks.byIndex("node", node),
    requestsOf: (node) => caches.requests.byIndex("node", node),
    onFreed: metrics.freed,
  });
  return {
    ...{ ledger, board, heardAt, refresh },
    requests: queue("blockrequest", options.workers, answer),
    pools: queue("addresspool", 4, keepPool),
    nodes: queue("vanished-node", 2, takeBack),
  };
}
