import { randomBytes } from "node:crypto";
import type { RouteExporter } from "../../apply/exported-routes.ts";
import type { Address } from "../../ip/address.ts";
import { type Block, blockNetworks } from "../../ipam/block.ts";
import { createNodeIpam, type NodeIpam } from "../../ipam/node-ipam.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { Clock } from "../../kube/clock.ts";
import type { Logger } from "../../observe/logger.ts";
import { runTogether } from "../../observe/run.ts";
import { releaseBlock } from "../../reconcile/release-block.ts";
import { type AddressDesk, createAddressDesk } from "./address-desk.ts";
import { type BlockExports, createBlockExports } from "./block-exports.ts";
import { type BlockReleaser, createBlockReleaser } from "./block-releaser.ts";
import type { Caches } from "./caches.ts";
import { discardRequest } from "./discard-request.ts";
import type { CoildFlags } from "./flags.ts";
import type { CoildMetrics } from "./metrics.ts";
import { createNodeBlocks, exportedPrefixes } from "./node-blocks.ts";

/** Times and habits of address management. */
export type AddressingFlags = Pick<CoildFlags, "block-hold-time" | "block-prefetch" | "address-wait" | "address-reuse-delay">;

export interface NodeAddressingDeps {
  readonly client: KubeClient;
  readonly caches: Pick<Caches, "node" | "blocks" | "pools" | "requests">;
  /** Name of this node. */
  readonly node: string;
  readonly exporter: Pick<RouteExporter, "apply">;
  /** Addresses that pods had are free again. */
  readonly freed: (addresses: readonly Address[]) => void;
  /** Asked for when something is to be counted: it shows what this one manages. */
  readonly metrics: () => CoildMetrics;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
}

/** The addresses of this node: blocks come and go, pods get their share, routes to the blocks are exported. */
export interface NodeAddressing {
  readonly ipam: NodeIpam;
  readonly desk: Pick<AddressDesk, "allocate" | "free" | "queues">;
  readonly blocks: () => readonly Block[];
  /** Takes in what the caches have, and all changes from then on. Call it when they are synced and the pods adopted. */
  start(): void;
  /** Resolves when the export table is right for the first time. */
  readonly exported: Promise<void>;
  /** Exports routes and gives empty blocks back until aborted. */
  run(signal: AbortSignal): Promise<void>;
}

/** An empty block that the node has when coild starts is not kept longer than this, in ms. */
const START_HOLD_MS = 5_000;

export function createNodeAddressing(deps: NodeAddressingDeps, flags: AddressingFlags): NodeAddressing {
  const { client, caches, node, exporter, clock, log, signal } = deps;
  const ipam = createNodeIpam({
    holdMs: flags["block-hold-time"],
    startHoldMs: START_HOLD_MS,
    reuseDelayMs: flags["address-reuse-delay"],
  });
  let blocks: readonly Block[] = [];
  const hasNode = () => caches.node.get(node) !== undefined;
  const exports = createBlockExports({
    exporter,
    // The routes of a node that was deleted belong to others by now.
    wanted: () => (hasNode() ? exportedPrefixes(blocks, ipam) : []),
    ...{ clock, log: log.child({ component: "export" }) },
  });
  const releaser = createBlockReleaser({
    ipam,
    withdraw: (block, options) => exports.withdrawn(blockNetworks(block), options),
    release: (block, options) => releaseBlock(client, caches.blocks.get(block.name) ?? objectOf(block), options),
    released: ({ pool }) => deps.metrics().blockReleased(pool),
    ...{ clock, log: log.child({ component: "release" }) },
  });
  const desk = createAddressDesk(
    {
      ...{ ipam, client, node, clock, signal, log: log.child({ component: "addresses" }), freed: deps.freed },
      nodeUid: () => caches.node.get(node)?.metadata.uid,
      pool: (name) => caches.pools.get(name),
      request: (name) => caches.requests.get(name),
      randomSuffix: () => randomBytes(4).toString("hex"),
      countOrder: (pool, result) => deps.metrics().blockOrdered(pool, result),
    },
    { waitMs: flags["address-wait"], prefetch: flags["block-prefetch"] },
  );
  const reader = createNodeBlocks({ log });
  const readBlocks = () => {
    blocks = reader.read(caches.blocks.list());
    desk.setBlocks(blocks);
    exports.changed();
    releaser.wake();
  };
  const readPools = () => {
    desk.setPools(caches.pools.list());
    releaser.wake();
  };
  return {
    ipam,
    desk: {
      allocate: (want, options) => desk.allocate(want, options),
      free(key, options) {
        desk.free(key, options);
        releaser.wake();
      },
      queues: () => desk.queues(),
    },
    blocks: () => blocks,
    start() {
      // Nobody waits for what an earlier life asked for; a block that comes of it is used, or given back.
      for (const { metadata } of caches.requests.list()) {
        void discardRequest({ client, clock, log, signal }, { name: metadata.name, uid: metadata.uid ?? "" });
      }
      readPools();
      readBlocks();
      caches.pools.onChange(once(readPools));
      caches.blocks.onChange(once(readBlocks));
      caches.node.onChange(() => exports.changed());
      caches.requests.onChange(({ type, object }) => {
        if (type === "deleted") desk.requestDeleted(object);
        else desk.requestChanged(object);
      });
    },
    exported: exports.ready,
    run: (aborted) => runTogether(aborted, runners(exports, releaser)),
  };
}

function runners(...parts: readonly (BlockExports | BlockReleaser)[]): ((signal: AbortSignal) => Promise<void>)[] {
  return parts.map(
    (part) =>
      (signal: AbortSignal): Promise<void> =>
        part.run(signal),
  );
}

/** Changes that are told of in a row become one call. */
function once(action: () => void): () => void {
  let due = false;
  return () => {
    if (due) return;
    due = true;
    queueMicrotask(() => {
      due = false;
      action();
    });
  };
}

/** What a release needs of a block that the watch has forgotten. */
function objectOf({ name, uid }: Block) {
  return { metadata: { name, uid } };
}
