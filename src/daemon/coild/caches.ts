import type { AddressBlock } from "../../crd/address-block.ts";
import type { AddressPool } from "../../crd/address-pool.ts";
import type { BlockRequest } from "../../crd/block-request.ts";
import { ANNOTATION_POOL, LABEL_NODE } from "../../crd/names.ts";
import { addressBlocks, addressPools, blockRequests } from "../../crd/resources.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { ObjectMeta, PartialObject } from "../../kube/object.ts";
import { type Node, namespaces, nodes, pods } from "../../kube/resources.ts";
import { createWatchCache, type WatchCache } from "../../kube/watch-cache.ts";
import type { KubeMetrics } from "../../observe/kube-metrics.ts";
import type { Logger } from "../../observe/logger.ts";
import { MIRROR_ANNOTATION } from "./pod-identity.ts";

/** What coild watches: what concerns this node, and of pods and namespaces the metadata alone. */
export interface Caches {
  readonly node: WatchCache<Node>;
  readonly blocks: WatchCache<AddressBlock>;
  readonly requests: WatchCache<BlockRequest>;
  readonly pools: WatchCache<AddressPool>;
  readonly pods: WatchCache<PartialObject>;
  readonly namespaces: WatchCache<PartialObject>;
}

export interface CachesOptions {
  /** Name of this node. */
  readonly node: string;
  readonly log: Logger;
  readonly metrics: KubeMetrics;
}

/** Makes the caches; they are empty until they run. */
export function createCaches(client: KubeClient, { node, log, metrics }: CachesOptions): Caches {
  const common = (resource: string) => ({ log, metrics: metrics.cache(resource) });
  const ofNode = `spec.nodeName=${node}`;
  return {
    node: createWatchCache(client, {
      ...{ resource: nodes, fieldSelector: `metadata.name=${node}`, transform: trimNode },
      ...common("nodes"),
    }),
    blocks: createWatchCache(client, {
      ...{ resource: addressBlocks, labelSelector: `${LABEL_NODE}=${node}` },
      ...common("addressblocks"),
    }),
    requests: createWatchCache(client, { resource: blockRequests, fieldSelector: ofNode, ...common("blockrequests") }),
    pools: createWatchCache(client, { resource: addressPools, ...common("addresspools") }),
    pods: createWatchCache(client, {
      ...{ resource: pods, metadataOnly: true, fieldSelector: ofNode, transform: trimTo(MIRROR_ANNOTATION) },
      ...common("pods"),
    }),
    namespaces: createWatchCache(client, {
      ...{ resource: namespaces, metadataOnly: true, transform: trimTo(ANNOTATION_POOL) },
      ...common("namespaces"),
    }),
  };
}

/** All of them, with the names for health checks. */
export function namedCaches({ node, blocks, requests, pools, pods, namespaces }: Caches) {
  return [
    { name: "nodes", cache: node },
    { name: "addressblocks", cache: blocks },
    { name: "blockrequests", cache: requests },
    { name: "addresspools", cache: pools },
    { name: "pods", cache: pods },
    { name: "namespaces", cache: namespaces },
  ] as const;
}

function identity({ name, namespace, uid, resourceVersion }: ObjectMeta): ObjectMeta {
  return { name, ...(namespace && { namespace }), ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) };
}

/** Nodes report their status often, and it is large. */
function trimNode({ metadata, status }: Node): Node {
  const addresses = status?.addresses;
  return { metadata: identity(metadata), ...(addresses && { status: { addresses } }) };
}

/** Keeps one annotation. */
function trimTo(annotation: string) {
  return ({ metadata }: PartialObject): PartialObject => {
    const value = metadata.annotations?.[annotation];
    return { metadata: { ...identity(metadata), ...(value !== undefined && { annotations: { [annotation]: value } }) } };
  };
}
