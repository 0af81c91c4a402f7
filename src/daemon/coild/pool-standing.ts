import type { AddressPool } from "../../crd/address-pool.ts";

/** What can be expected of a pool. */
export type PoolStanding =
  | { readonly kind: "usable" /** Addresses in a block. */; readonly blockSize: number }
  | { readonly kind: "terminating" }
  | { readonly kind: "unknown" };

/** Judges a pool by its object; undefined when there is none. */
export function poolStanding(pool: AddressPool | undefined): PoolStanding {
  if (!pool) return { kind: "unknown" };
  if (pool.metadata.deletionTimestamp !== undefined) return { kind: "terminating" };
  return { kind: "usable", blockSize: 2 ** pool.spec.blockSizeBits };
}
