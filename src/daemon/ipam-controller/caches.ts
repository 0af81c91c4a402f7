import type { AddressBlock } from "../../crd/address-block.ts";
import type { AddressPool } from "../../crd/address-pool.ts";
import type { BlockRequest } from "../../crd/block-request.ts";
import { LABEL_NODE } from "../../crd/names.ts";
import { addressBlocks, addressPools, blockRequests } from "../../crd/resources.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { PartialObject } from "../../kube/object.ts";
import { nodes } from "../../kube/resources.ts";
import { createWatchCache, type WatchCache } from "../../kube/watch-cache.ts";
import type { KubeMetrics } from "../../observe/kube-metrics.ts";
import type { Logger } from "../../observe/logger.ts";

/** What the controller watches. */
export interface Caches {
  readonly pools: WatchCache<AddressPool>;
  /** Index `node`: the label, empty when missing. */
  readonly blocks: WatchCache<AddressBlock>;
  /** Index `node`: `spec.nodeName`. */
  readonly requests: WatchCache<BlockRequest>;
  /** Names only: nodes report their status often, and it is large. */
  readonly nodes: WatchCache<PartialObject>;
}

/** Makes the caches; they are empty until they run. */
export function createCaches(client: KubeClient, { log, metrics }: { log: Logger; metrics: KubeMetrics }): Caches {
  const common = (resource: string) => ({ log, metrics: metrics.cache(resource) });
  const caches: Caches = {
    pools: createWatchCache(client, { resource: addressPools, ...common("addresspools") }),
    blocks: createWatchCache(client, { resource: addressBlocks, transform: trimBlock, ...common("addressblocks") }),
    requests: createWatchCache(client, { resource: blockRequests, ...common("blockrequests") }),
    nodes: createWatchCache(client, { resource: nodes, metadataOnly: true, transform: trimNode, ...common("nodes") }),
  };
  caches.blocks.addIndex("node", ({ metadata }) => [metadata.labels?.[LABEL_NODE] ?? ""]);
  caches.requests.addIndex("node", ({ spec }) => [spec.nodeName]);
  return caches;
}

/** All of them, with the names for health checks. */
export function namedCaches({ pools, blocks, requests, nodes }: Caches) {
  return [
    { name: "addresspools", cache: pools },
    { name: "addressblocks", cache: blocks },
    { name: "blockrequests", cache: requests },
    { name: "nodes", cache: nodes },
  ] as const;
}

function trimBlock({ metadata, index, ipv4, ipv6 }: AddressBlock): AddressBlock {
  const { name, uid, resourceVersion, labels, finalizers, deletionTimestamp } = metadata;
  return {
    metadata: {
      ...{ name, ...(uid && { uid }), ...(resourceVersion && { resourceVersion }), ...(labels && { labels }) },
      ...{ ...(finalizers && { finalizers }), ...(deletionTimestamp && { deletionTimestamp }) },
    },
    index,
    ...(ipv4 !== undefined && { ipv4 }),
    ...(ipv6 !== undefined && { ipv6 }),
  };
}

function trimNode({ metadata: { name, uid, resourceVersion } }: PartialObject): PartialObject {
  return { metadata: { name, ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) } };
}
