import type { AddressPool } from "../crd/address-pool.ts";
import { formatPrefix } from "../ip/prefix.ts";
import { layoutOf, type PoolLayout } from "../ipam/layout.ts";
import { overlappingPools } from "../ipam/overlaps.ts";

/** Whether blocks are granted from a pool, and if not, why. */
export interface PoolStanding {
  readonly kind: "granting" | "overlap" | "invalid" | "terminating";
  /** A sentence for people. */
  readonly message: string;
  /** Absent when the specification has none. */
  readonly layout?: PoolLayout;
}

/** Judges all pools together: which of two that overlap is refused depends on both. */
export function poolStandings(pools: readonly AddressPool[]): Map<string, PoolStanding> {
  const layouts = new Map(pools.map((pool) => [pool.metadata.name, tryLayout(pool)]));
  const candidates = pools.flatMap(({ metadata: { name, creationTimestamp = "" } }) => {
    const layout = layouts.get(name);
    return layout === undefined || layout instanceof Error ? [] : [{ name, createdAt: creationTimestamp, layout }];
  });
  const overlaps = overlappingPools(candidates);
  return new Map(
    pools.map(({ metadata: { name, deletionTimestamp } }): [string, PoolStanding] => {
      const layout = layouts.get(name) as PoolLayout | Error;
      if (layout instanceof Error) {
        const kind = deletionTimestamp === undefined ? "invalid" : "terminating";
        return [name, { kind, message: `the pool cannot be cut into blocks: ${layout.message}` }];
      }
      if (deletionTimestamp !== undefined)
        return [name, { kind: "terminating", message: `pool ${name} is being deleted`, layout }];
      const overlap = overlaps.get(name)?.[0];
      if (!overlap) return [name, { kind: "granting", message: "blocks are granted", layout }];
      const [own, other] = [formatPrefix(overlap.network), formatPrefix(overlap.olderNetwork)];
      return [name, { kind: "overlap", message: `${own} overlaps ${other} of the older pool ${overlap.olderPool}`, layout }];
    }),
  );
}

function tryLayout({ spec }: AddressPool): PoolLayout | Error {
  try {
    return layoutOf(spec);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return error;
    throw error;
  }
}
