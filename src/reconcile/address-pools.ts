import type { AddressPool, AddressPoolStatus, PoolReadyReason } from "../crd/address-pool.ts";
import type { Condition } from "../crd/condition.ts";
import { FINALIZER, LABEL_POOL } from "../crd/names.ts";
import { addressBlocks, addressPools } from "../crd/resources.ts";
import type { PoolUsage } from "../ipam/grants.ts";
import { isApiError } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import type { Logger } from "../observe/logger.ts";
import type { Lookup } from "./block-requests.ts";
import type { PoolStanding } from "./pool-standing.ts";
import { finalizersPatch } from "./release-block.ts";
import { timestamp } from "./timestamp.ts";

export interface AddressPoolDeps {
  readonly client: Pick<KubeClient, "list" | "patch">;
  readonly pools: Lookup<AddressPool>;
  readonly standing: (pool: string) => PoolStanding | undefined;
  readonly usage: (pool: string) => PoolUsage | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: Logger;
}

type Outcome = { readonly requeueAfterMs: number } | undefined;

// Written down again, because importing it loads zod, which this program does not use: 8 MB of memory.
const POOL_READY: typeof import("../crd/address-pool.ts").POOL_READY = "Ready";

/** How often a pool's numbers are written while they change, in ms: each write is told to everyone who watches pools. */
const COUNTS_INTERVAL_MS = 5_000;
/** How soon to look again for the last blocks of a pool being deleted, should no event tell, in ms. */
const DELETION_RETRY_MS = 10_000;
const PENDING_RETRY_MS = 50;

const REASONS: Record<PoolStanding["kind"], PoolReadyReason> = {
  granting: "Granting",
  overlap: "Overlap",
  invalid: "Invalid",
  terminating: "Terminating",
};

/** Gives a function that puts the finalizer on a pool, takes it off when a deleted one has no blocks, and writes the status. */
export function createAddressPoolReconciler(deps: AddressPoolDeps) {
  const writtenAt = new Map<string, number>();
  return async (name: string, signal: AbortSignal): Promise<Outcome> => {
    const pool = deps.pools.get(name);
    const standing = deps.standing(name);
    if (!pool || !standing) {
      writtenAt.delete(name);
      return undefined;
    }
    try {
      const finalizers = pool.metadata.finalizers ?? [];
      if (pool.metadata.deletionTimestamp !== undefined) {
        if (!finalizers.includes(FINALIZER)) return undefined;
        return (await finishDeletion(deps, pool, signal)) ?? (await writeStatus(deps, pool, standing, writtenAt, signal));
      }
      if (!finalizers.includes(FINALIZER)) {
        const { resourceVersion } = pool.metadata;
        const body = { metadata: { resourceVersion, finalizers: [...finalizers, FINALIZER] } };
        await deps.client.patch(addressPools, { name }, { type: "merge", body }, { signal });
        // The change comes back as an event, and with it the status.
        return undefined;
      }
      return await writeStatus(deps, pool, standing, writtenAt, signal);
    } catch (error) {
      if (isApiError(error, "NotFound")) return undefined;
      // Our copy is old: the newer one is on its way.
      if (isApiError(error, "Conflict", "Invalid")) return { requeueAfterMs: PENDING_RETRY_MS };
      throw error;
    }
  };
}

/** Takes the finalizer off when no block of the pool is left. Undefined while there are some. */
async function finishDeletion(deps: AddressPoolDeps, pool: AddressPool, signal: AbortSignal): Promise<Outcome> {
  const { name, uid = "", finalizers = [] } = pool.metadata;
  const usage = deps.usage(name);
  // A creation under way may still succeed.
  if (usage && usage.pending > 0) return { requeueAfterMs: PENDING_RETRY_MS };
  if (usage && usage.allocated > 0) return undefined;
  const labelSelector = `${LABEL_POOL}=${name}`;
  const { items } = await deps.client.list(addressBlocks, { labelSelector }, { signal, metadataOnly: true });
  if (items.length > 0) return { requeueAfterMs: DELETION_RETRY_MS };
  const rest = finalizers.filter((finalizer) => finalizer !== FINALIZER);
  await deps.client.patch(addressPools, { name }, finalizersPatch({ uid, finalizers, rest }), { signal });
  deps.log.info({ pool: name }, "pool deleted");
  return { requeueAfterMs: DELETION_RETRY_MS };
}

async function writeStatus(
  { client, usage, now }: AddressPoolDeps,
  pool: AddressPool,
  standing: PoolStanding,
  writtenAt: Map<string, number>,
  signal: AbortSignal,
): Promise<Outcome> {
  const { name, resourceVersion } = pool.metadata;
  const wanted = poolStatus(pool, standing, usage(name), now());
  const change = statusChange(pool.status, wanted);
  if (change === "none") return undefined;
  const rest = (writtenAt.get(name) ?? Number.NEGATIVE_INFINITY) + COUNTS_INTERVAL_MS - now();
  if (change === "counts" && rest > 0) return { requeueAfterMs: rest };
  const body = { metadata: { resourceVersion }, status: wanted };
  await client.patch(addressPools, { name }, { type: "merge", subresource: "status", body }, { signal });
  if (change === "counts") writtenAt.set(name, now());
  return undefined;
}

/** The status of a pool; conditions of others and the time of an unchanged condition are kept. `now` in ms since the epoch. */
export function poolStatus(
  pool: AddressPool,
  standing: PoolStanding,
  usage: PoolUsage | undefined,
  now: number,
): AddressPoolStatus {
  const conditions = pool.status?.conditions ?? [];
  const before = conditions.find(({ type }) => type === POOL_READY);
  const status = standing.kind === "granting" ? "True" : "False";
  const generation = pool.metadata.generation === undefined ? {} : { observedGeneration: pool.metadata.generation };
  const ready: Condition = {
    ...{ type: POOL_READY, status, ...generation },
    lastTransitionTime: before?.status === status ? before.lastTransitionTime : timestamp(now),
    ...{ reason: REASONS[standing.kind], message: standing.message },
  };
  return {
    ...generation,
    conditions: [...conditions.filter(({ type }) => type !== POOL_READY), ready],
    ...(usage && { maxBlocks: Number(usage.max), allocatedBlocks: usage.allocated }),
  };
}

function statusChange(now: AddressPoolStatus | undefined, wanted: AddressPoolStatus): "none" | "counts" | "more" {
  const text = (status: AddressPoolStatus | undefined) =>
    JSON.stringify([status?.observedGeneration, status?.conditions?.map(conditionText)]);
  if (text(now) !== text(wanted)) return "more";
  return now?.maxBlocks === wanted.maxBlocks && now?.allocatedBlocks === wanted.allocatedBlocks ? "none" : "counts";
}

function conditionText({ type, status, observedGeneration, lastTransitionTime, reason, message }: Condition): unknown[] {
  return [type, status, observedGeneration, lastTransitionTime, reason, message];
}
