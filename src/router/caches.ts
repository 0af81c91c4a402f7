import type { AddressBlock } from "../crd/address-block.ts";
import { LABEL_NODE } from "../crd/names.ts";
import { addressBlocks } from "../crd/resources.ts";
import type { KubeClient } from "../kube/client.ts";
import { type Node, nodes } from "../kube/resources.ts";
import { createWatchCache, type WatchCache } from "../kube/watch-cache.ts";
import type { KubeMetrics } from "../observe/kube-metrics.ts";
import type { Logger } from "../observe/logger.ts";

/** What the router watches. */
export interface RouterCaches {
  readonly nodes: WatchCache<Node>;
  readonly blocks: WatchCache<AddressBlock>;
}

/** Makes the caches, of which every node has one: only what routes depend on is kept. They are empty until they run. */
export function createRouterCaches(client: KubeClient, { log, metrics }: { log: Logger; metrics: KubeMetrics }): RouterCaches {
  return {
    nodes: createWatchCache(client, { resource: nodes, transform: trimNode, log, metrics: metrics.cache("nodes") }),
    blocks: createWatchCache(client, {
      resource: addressBlocks,
      transform: trimBlock,
      log,
      metrics: metrics.cache("addressblocks"),
    }),
  };
}

/** Calls back when something has changed on which routes depend: nodes report their state every few minutes for nothing. */
export function onRouteChange({ nodes, blocks }: RouterCaches, listener: () => void): Disposable {
  const listening = new DisposableStack();
  listening.defer(
    nodes.onChange((change) => {
      if (change.type !== "modified" || addressText(change.object) !== addressText(change.old)) listener();
    }),
  );
  listening.defer(
    blocks.onChange((change) => {
      if (change.type !== "modified" || blockText(change.object) !== blockText(change.old)) listener();
    }),
  );
  return listening;
}

function trimNode({ metadata: { name, uid, resourceVersion }, status }: Node): Node {
  const addresses = (status?.addresses ?? []).filter(({ type }) => type === "InternalIP");
  return { metadata: { name, ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) }, status: { addresses } };
}

function trimBlock({ metadata, index, ipv4, ipv6 }: AddressBlock): AddressBlock {
  const { name, uid, resourceVersion, labels } = metadata;
  const node = labels?.[LABEL_NODE];
  return {
    metadata: {
      name,
      ...(uid && { uid }),
      ...(resourceVersion && { resourceVersion }),
      ...(node !== undefined && { labels: { [LABEL_NODE]: node } }),
    },
    index,
    ...(ipv4 !== undefined && { ipv4 }),
    ...(ipv6 !== undefined && { ipv6 }),
  };
}

function addressText({ status }: Node): string {
  return (status?.addresses ?? []).map(({ address }) => address).join();
}

function blockText({ metadata, ipv4, ipv6 }: AddressBlock): string {
  return [metadata.labels?.[LABEL_NODE], ipv4, ipv6].join();
}
