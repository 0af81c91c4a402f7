import type { BlockUsage } from "../../ipam/node-ipam.ts";
import { counter, gauge, histogram, type Registry } from "../../observe/metrics.ts";

/** Times one call: each phase lasts from the one before it. */
export interface CallTimer {
  phase(name: string): void;
  end(): void;
}

/** What attachments report. */
export interface AttachmentMetrics {
  startAdd(): CallTimer;
  startDel(): CallTimer;
  /** How long a call waited for another one of the same attachment, ms. */
  lockWaited(ms: number): void;
}

/** What coild counts. */
export interface CoildMetrics extends AttachmentMetrics {
  /** A CNI call ended; `reason` is `ok` or the reason of the failure. */
  called(call: { command: string; reason: string; durationMs: number }): void;
  blockOrdered(pool: string, result: string): void;
  blockReleased(pool: string): void;
}

/** What is asked for at each scrape. */
export interface CoildFigures {
  usage(): BlockUsage[];
  queues(): { readonly pool: string; readonly waiting: number; readonly ordered: number }[];
  attachments(): number;
}

/** Registers the series. */
export function createCoildMetrics(registry: Registry, figures: CoildFigures): CoildMetrics {
  registerUsage(registry, figures);
  const calls = counter(registry, "coil_cni_calls_total", "CNI calls, by command and result.", ["command", "reason"]);
  const durations = histogram(registry, "coil_cni_call_seconds", "Time to answer a CNI call.", { labelNames: ["command"] });
  const phases = histogram(registry, "coil_cni_phase_seconds", "Time of the parts of a CNI call.", {
    labelNames: ["command", "phase"],
  });
  const locks = histogram(registry, "coil_cni_lock_wait_seconds", "Time that calls waited for another one of their attachment.");
  const orders = counter(registry, "coil_node_block_requests_total", "Blocks asked for, by result.", ["pool", "result"]);
  const released = counter(registry, "coil_node_blocks_released_total", "Empty blocks given back.", ["pool"]);
  const start = (command: string): CallTimer => {
    const started = performance.now();
    let last = started;
    const observe = (phase: string, since: number) => {
      last = performance.now();
      phases.observe({ command, phase }, (last - since) / 1000);
    };
    return { phase: (name) => observe(name, last), end: () => observe("total", started) };
  };
  return {
    startAdd: () => start("ADD"),
    startDel: () => start("DEL"),
    lockWaited: (ms) => locks.observe(ms / 1000),
    called({ command, reason, durationMs }) {
      calls.inc({ command, reason });
      durations.observe({ command }, durationMs / 1000);
    },
    blockOrdered: (pool, result) => orders.inc({ pool, result }),
    blockReleased: (pool) => released.inc({ pool }),
  };
}

function registerUsage(registry: Registry, { usage, queues, attachments }: CoildFigures): void {
  const ofBlocks = (name: string, help: string, read: (block: BlockUsage) => number) =>
    gauge(registry, name, help, {
      labelNames: ["pool", "block"],
      read(made) {
        made.reset();
        for (const block of usage()) made.set({ pool: block.pool, block: block.block }, read(block));
      },
    });
  ofBlocks("coil_node_block_used_addresses", "Addresses of a block of this node that pods have.", ({ used }) => used);
  ofBlocks("coil_node_block_free_addresses", "Addresses of a block of this node that can be given out.", ({ free }) => free);
  const ofPools = (name: string, help: string, read: (block: BlockUsage) => number) =>
    gauge(registry, name, help, {
      labelNames: ["pool"],
      read(made) {
        made.reset();
        for (const [pool, blocks] of Map.groupBy(usage(), (block) => block.pool)) {
          made.set(
            { pool },
            blocks.reduce((sum, block) => sum + read(block), 0),
          );
        }
      },
    });
  ofPools("coil_node_pool_used_addresses", "Addresses of a pool that pods of this node have.", ({ used }) => used);
  ofPools("coil_node_pool_free_addresses", "Addresses of a pool that this node can give out.", ({ free }) => free);
  ofPools("coil_node_pool_blocks", "Blocks of a pool that this node holds.", () => 1);
  const ofQueues = (name: string, help: string, read: (queue: { waiting: number; ordered: number }) => number) =>
    gauge(registry, name, help, {
      labelNames: ["pool"],
      read: (made) => {
        for (const queue of queues()) made.set({ pool: queue.pool }, read(queue));
      },
    });
  ofQueues("coil_node_waiting_pods", "Pods that wait for an address.", ({ waiting }) => waiting);
  ofQueues("coil_node_ordered_blocks", "Blocks that were asked for and are not there yet.", ({ ordered }) => ordered);
  gauge(registry, "coil_node_attachments", "Attachments of pods of this node.", { read: (made) => made.set(attachments()) });
}
