import type { AddressBlock } from "../crd/address-block.ts";
import type { BlockRequest } from "../crd/block-request.ts";
import { blockRequests } from "../crd/resources.ts";
import { isApiError } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import { nodes } from "../kube/resources.ts";
import type { Logger } from "../observe/logger.ts";
import type { Lookup } from "./block-requests.ts";
import { releaseBlock } from "./release-block.ts";

export interface VanishedNodeDeps {
  readonly client: Pick<KubeClient, "delete" | "get" | "patch">;
  readonly nodes: Lookup<unknown>;
  /** Blocks whose label names this node, empty for those without the label. */
  readonly blocksOf: (node: string) => readonly AddressBlock[];
  readonly requestsOf: (node: string) => readonly BlockRequest[];
  /** Milliseconds; only differences count. */
  readonly now: () => number;
  /** How long a node must be absent, in ms: one that is made anew keeps its blocks. */
  readonly graceMs: number;
  readonly log: Logger;
  readonly onFreed: (count: number) => void;
}

/** Blocks given back between two looks at whether the node is still absent. */
const BATCH = 16;

/**
 * Gives a function that takes back what a node leaves behind. The cache only raises the suspicion: the API server itself has to say
 * twice, some seconds apart, that there is no such node, and once more before each batch.
 */
export function createVanishedNodeReconciler(deps: VanishedNodeDeps) {
  const absentSince = new Map<string, number>();
  return async (node: string, signal: AbortSignal): Promise<{ requeueAfterMs: number } | undefined> => {
    const blocks = deps.blocksOf(node);
    const requests = deps.requestsOf(node);
    if (deps.nodes.get(node) || (blocks.length === 0 && requests.length === 0) || (await exists(deps, node, signal))) {
      absentSince.delete(node);
      return undefined;
    }
    const since = absentSince.get(node) ?? deps.now();
    absentSince.set(node, since);
    const rest = since + deps.graceMs - deps.now();
    if (rest > 0) return { requeueAfterMs: rest };
    let freed = 0;
    for (let at = 0; at < blocks.length; at += BATCH) {
      if (at > 0 && (await exists(deps, node, signal))) break;
      const batch = blocks.slice(at, at + BATCH);
      await Promise.all(batch.map((block) => releaseBlock(deps.client, block, { signal })));
      deps.onFreed(batch.length);
      freed += batch.length;
    }
    await Promise.all(requests.map((request) => withdraw(deps, request, signal)));
    absentSince.delete(node);
    deps.log.info({ node, blocks: freed, requests: requests.length }, "freed what a vanished node left behind");
    return undefined;
  };
}

async function exists({ client }: VanishedNodeDeps, node: string, signal: AbortSignal): Promise<boolean> {
  if (node === "") return false;
  return (await client.get(nodes, { name: node }, { signal, metadataOnly: true })) !== undefined;
}

async function withdraw(
  { client }: VanishedNodeDeps,
  { metadata: { name, uid } }: BlockRequest,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.delete(blockRequests, { name }, { signal, ...(uid !== undefined && { uid }) });
  } catch (error) {
    // Another request has the name now.
    if (!isApiError(error, "Conflict")) throw error;
  }
}
