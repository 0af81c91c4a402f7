import type { AddressPool } from "../crd/address-pool.ts";
import { addressBlocks } from "../crd/resources.ts";
import { ApiError, isApiError } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import type { BlockLedger } from "./block-ledger.ts";
import type { Refusal } from "./block-request-status.ts";
import { blockName, newAddressBlock } from "./new-address-block.ts";
import type { PoolStanding } from "./pool-standing.ts";
import type { RefreshLedger } from "./refresh-ledger.ts";

/** Who wants a block from which pool. */
export interface GrantRequest {
  /** UID of the BlockRequest. */
  readonly request: string;
  readonly node: string;
  readonly pool: AddressPool;
}

export type GrantResult = { readonly kind: "granted"; readonly block: string } | ({ readonly kind: "refused" } & Refusal);

export interface GrantDeps {
  readonly client: Pick<KubeClient, "create" | "get">;
  readonly ledger: BlockLedger;
  /** How the pool stands at this instant. */
  readonly standing: (pool: string) => PoolStanding | undefined;
  readonly refresh: RefreshLedger;
}

/** One attempt at the API server, in ms: much less than the 10 s that a node waits, and than the time a lost Lease has to run. */
const TIMEOUT_MS = 4_000;
const MAX_ATTEMPTS = 64;
/** A full pool is believed to be full for this long, in ms. */
const FULL_FRESH_MS = 1_000;

/**
 * Creates the block that answers a request. Whoever else creates blocks at the same time, a name exists once: the loser takes the
 * next index. Throws when it is not known whether the block exists; calling it again for the same request then goes on from there.
 */
export async function grantBlock(
  deps: GrantDeps,
  wanted: GrantRequest,
  { signal }: { signal: AbortSignal },
): Promise<GrantResult> {
  const { ledger } = deps;
  const { request, pool } = wanted;
  const { name } = pool.metadata;
  let refreshed = false;
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const known = ledger.answerTo(request);
    if (known !== undefined) {
      ledger.settle(request, name, "absent");
      return { kind: "granted", block: known };
    }
    // Asked anew in the tick of the reservation: nothing may be reserved once the deletion of the pool has begun to look.
    const refusal = refusalOf(name, deps.standing(name));
    if (refusal) return { kind: "refused", ...refusal };
    const grant = ledger.reserve(request, name);
    if (grant.kind === "index") {
      const block = await createBlock(deps, wanted, grant, signal);
      if (block !== undefined) return { kind: "granted", block };
    } else if (refreshed || grant.kind === "unknown-pool") {
      return { kind: "refused", reason: "out of blocks", message: `pool ${name} does not have free blocks` };
    }
    // There are blocks, or none any more, that the watch has not told of: look at what is really there, once, before going on.
    if (!refreshed) await deps.refresh({ maxAgeMs: grant.kind === "index" ? 0 : FULL_FRESH_MS, signal });
    refreshed = true;
  }
  throw new Error(`Cannot find a free block in pool ${name}: ${MAX_ATTEMPTS} in a row were taken by others`);
}

/** The name of the block made for this request; undefined when the index turned out to be taken. */
async function createBlock(
  { client, ledger }: GrantDeps,
  { request, node, pool }: GrantRequest,
  grant: Extract<ReturnType<BlockLedger["reserve"]>, { kind: "index" }>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { name: poolName, uid = "" } = pool.metadata;
  const object = newAddressBlock({ ...grant, pool: { name: poolName, uid }, node, request });
  try {
    const created = await client.create(addressBlocks, object, { signal, timeoutMs: TIMEOUT_MS });
    ledger.observe(created);
    ledger.settle(request, poolName, "created");
    return created.metadata.name;
  } catch (error) {
    if (!isApiError(error, "AlreadyExists")) {
      // After a refusal there is no block; without an answer, or with one that is no refusal, there may be: the index stays kept.
      if (error instanceof ApiError && error.status < 500) ledger.settle(request, poolName, "absent");
      throw error;
    }
  }
  const name = blockName(poolName, grant.index);
  const found = await client.get(addressBlocks, { name }, { signal, timeoutMs: TIMEOUT_MS });
  // Gone again in between: the same index is tried once more.
  if (!found || !ledger.observe(found)) return undefined;
  // Ours: the reply to an earlier attempt was lost.
  if (ledger.answerTo(request) === name) {
    ledger.settle(request, poolName, "created");
    return name;
  }
  ledger.settle(request, poolName, "taken");
  return undefined;
}

function refusalOf(pool: string, standing: PoolStanding | undefined): Refusal | undefined {
  if (!standing) return { reason: "no such pool", message: `pool ${pool} does not exist` };
  switch (standing.kind) {
    case "granting":
      return undefined;
    case "terminating":
      return { reason: "pool is being deleted", message: standing.message };
    case "overlap":
      return { reason: "pool overlaps another pool", message: standing.message };
    case "invalid":
      return { reason: "pool is invalid", message: standing.message };
  }
}
