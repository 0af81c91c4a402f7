import type { PoolUsage } from "../../ipam/grants.ts";
import { counter, gauge, histogram, type Registry } from "../../observe/metrics.ts";

/** What the leader knows about pools at the moment of a scrape. */
export interface PoolFigures {
  names(): string[];
  usage(pool: string): PoolUsage | undefined;
}

/** What the controller counts. Pools are shown by the leader only, so that sums over replicas are right. */
export interface ControllerMetrics {
  /** `result`: `granted`, or the reason of the refusal. `pool` is empty when there is no such pool. */
  answered(answer: { pool: string; result: string; durationMs: number | undefined }): void;
  freed(blocks: number): void;
  requestsDeleted(count: number): void;
  /** Whom to ask about pools from now on; undefined when not leading. */
  setLeader(figures: PoolFigures | undefined): void;
}

/** Registers the series. `pendingRequests` is asked at each scrape. */
export function createControllerMetrics(
  registry: Registry,
  { pendingRequests }: { pendingRequests: () => number },
): ControllerMetrics {
  let leader: PoolFigures | undefined;
  const ofPools = (name: string, help: string, read: (usage: PoolUsage) => number) =>
    gauge(registry, name, help, {
      labelNames: ["pool"],
      read(made) {
        made.reset();
        for (const pool of leader?.names() ?? []) {
          const usage = leader?.usage(pool);
          if (usage) made.set({ pool }, read(usage));
        }
      },
    });
  ofPools("coil_controller_max_blocks", "Number of blocks a pool can be cut into.", ({ max }) => Number(max));
  ofPools("coil_controller_allocated_blocks", "Number of blocks of a pool that exist.", ({ allocated }) => allocated);
  gauge(registry, "coil_controller_leader", "1 while this replica is the leader, else 0.", {
    read: (made) => made.set(leader ? 1 : 0),
  });
  gauge(registry, "coil_controller_pending_requests", "BlockRequests without an answer.", {
    read: (made) => made.set(pendingRequests()),
  });
  const answers = counter(registry, "coil_controller_block_requests_total", "BlockRequests answered, by result.", [
    "pool",
    "result",
  ]);
  const durations = histogram(
    registry,
    "coil_controller_block_request_seconds",
    "Time from hearing of a BlockRequest to its answer.",
    {
      labelNames: ["pool"],
    },
  );
  const freed = counter(registry, "coil_controller_orphan_blocks_freed_total", "Blocks of vanished nodes that were freed.");
  const deleted = counter(
    registry,
    "coil_controller_stale_requests_deleted_total",
    "Answered BlockRequests that were cleaned up.",
  );
  return {
    answered({ pool, result, durationMs }) {
      answers.inc({ pool, result });
      if (durationMs !== undefined) durations.observe({ pool }, durationMs / 1000);
    },
    freed: (blocks) => freed.inc(blocks),
    requestsDeleted: (count) => deleted.inc(count),
    setLeader(figures) {
      leader = figures;
    },
  };
}
