import type { AddressPool } from "../crd/address-pool.ts";
import type { BlockRequest, BlockRequestStatus } from "../crd/block-request.ts";
import { FINALIZER } from "../crd/names.ts";
import { MAX_LABEL_VALUE } from "../crd/pool-limits.ts";
import { addressPools, blockRequests } from "../crd/resources.ts";
import { isApiError } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import { nodes } from "../kube/resources.ts";
import type { Logger } from "../observe/logger.ts";
import { grantedStatus, isAnswered, type Refusal, refusedStatus } from "./block-request-status.ts";
import { type GrantDeps, type GrantResult, grantBlock } from "./grant-block.ts";

/** The part of a watch cache that is read here. */
export interface Lookup<T> {
  get(name: string): T | undefined;
}

export interface BlockRequestDeps extends Omit<GrantDeps, "client"> {
  readonly client: Pick<KubeClient, "create" | "get" | "updateStatus">;
  readonly requests: Lookup<BlockRequest>;
  readonly pools: Lookup<AddressPool>;
  readonly nodes: Lookup<unknown>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: Logger;
  /** Told of each answer that was written. */
  readonly onAnswer: (request: BlockRequest, result: GrantResult) => void;
}

/** What to do with a request. `wait`: something about it is not known yet. */
type Decision = GrantResult | { readonly kind: "wait" };

/** How long to wait for the controller itself to put the finalizer on a new pool, in ms. */
const WAIT_MS = 20;
const STATUS_ATTEMPTS = 5;

/** Gives a function that answers the BlockRequest of a name, once. It throws what is worth another try. */
export function createBlockRequestReconciler(deps: BlockRequestDeps) {
  return async (name: string, signal: AbortSignal): Promise<{ requeueAfterMs: number } | undefined> => {
    const request = deps.requests.get(name);
    if (!request || request.metadata.deletionTimestamp !== undefined || isAnswered(request)) return undefined;
    const decision = await decide(deps, request, signal);
    if (decision.kind === "wait") return { requeueAfterMs: WAIT_MS };
    if (await writeAnswer(deps, request, decision, signal)) deps.onAnswer(request, decision);
    return undefined;
  };
}

async function decide(deps: BlockRequestDeps, request: BlockRequest, signal: AbortSignal): Promise<Decision> {
  const { client, ledger } = deps;
  const { nodeName, poolName } = request.spec;
  const uid = request.metadata.uid ?? "";
  const known = ledger.answerTo(uid);
  if (known !== undefined) return { kind: "granted", block: known };
  if (!isLabelValue(nodeName)) return refused("no such node", `node ${nodeName} cannot be the value of a label`);
  if (!isLabelValue(poolName)) return refused("no such pool", `pool ${poolName} cannot be the value of a label`);
  if (!deps.nodes.get(nodeName) && !(await client.get(nodes, { name: nodeName }, { signal, metadataOnly: true }))) {
    return refused("no such node", `node ${nodeName} does not exist`);
  }
  const pool = deps.pools.get(poolName);
  if (!pool) {
    // It may have been made a moment ago.
    if (await client.get(addressPools, { name: poolName }, { signal, metadataOnly: true })) return { kind: "wait" };
    return refused("no such pool", `pool ${poolName} does not exist`);
  }
  // A pool without it would vanish under its blocks.
  if (pool.metadata.deletionTimestamp === undefined && !pool.metadata.finalizers?.includes(FINALIZER)) return { kind: "wait" };
  try {
    return await grantBlock(deps, { request: uid, node: nodeName, pool }, { signal });
  } catch (error) {
    // Nothing that another try could mend.
    if (isApiError(error, "Invalid")) return refused("block is not accepted", error.message);
    throw error;
  }
}

/** Whether the answer is written, by us. False when the request is gone or has one by now. */
async function writeAnswer(
  { client, now, log }: BlockRequestDeps,
  request: BlockRequest,
  result: GrantResult,
  signal: AbortSignal,
): Promise<boolean> {
  const { name, uid } = request.metadata;
  const status: BlockRequestStatus =
    result.kind === "granted" ? grantedStatus(result.block, now()) : refusedStatus(result, now());
  let current: BlockRequest | undefined = request;
  for (let attempt = 1; current && current.metadata.uid === uid && !isAnswered(current); attempt++) {
    try {
      await client.updateStatus(blockRequests, { ...current, status }, { signal });
      return true;
    } catch (error) {
      if (isApiError(error, "NotFound")) return false;
      if (attempt >= STATUS_ATTEMPTS || !isApiError(error, "Conflict")) throw error;
    }
    current = await client.get(blockRequests, { name }, { signal });
  }
  log.debug({ request: name, result }, "the request was answered or withdrawn by others");
  return false;
}

function refused(reason: string, message: string): Decision & Refusal {
  return { kind: "refused", reason, message };
}

/** Blocks carry both names as label values, which are shorter than names may be. */
function isLabelValue(name: string): boolean {
  return name.length <= MAX_LABEL_VALUE && /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name);
}
