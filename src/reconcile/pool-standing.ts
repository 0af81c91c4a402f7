import type { AddressPool } from "../crd/address-pool.ts";
import { poolProblems } from "../crd/pool-problems.ts";
import { formatPrefix } from "../ip/prefix.ts";
import { layoutOf, type PoolLayout } from "../ipam/layout.ts";
import { overlappingPools, type PoolOverlap } from "../ipam/overlaps.ts";

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
  const layouts = new Map(pools.map((pool) => [pool.metadata.name, layoutOrProblem(pool)]));
  const candidates = pools.flatMap(({ metadata: { name, creationTimestamp = "" } }) => {
    const layout = layouts.get(name);
    return layout === undefined || typeof layout === "string" ? [] : [{ name, createdAt: creationTimestamp, layout }];
  });
  const overlaps = overlappingPools(candidates);
  return new Map(
    pools.map((pool) => {
      const { name } = pool.metadata;
      return [name, judge(pool, layouts.get(name) as PoolLayout | string, overlaps.get(name)?.[0])];
    }),
  );
}

function judge({ metadata }: AddressPool, layout: PoolLayout | string, overlap: PoolOverlap | undefined): PoolStanding {
  const known = typeof layout === "string" ? {} : { layout };
  if (metadata.deletionTimestamp !== undefined) {
    return { kind: "terminating", message: `pool ${metadata.name} is being deleted`, ...known };
  }
  if (typeof layout === "string") return { kind: "invalid", message: layout };
  if (!overlap) return { kind: "granting", message: "blocks are granted", layout };
  const [own, other] = [formatPrefix(overlap.network), formatPrefix(overlap.olderNetwork)];
  return { kind: "overlap", message: `${own} overlaps ${other} of the older pool ${overlap.olderPool}`, layout };
}

/** The API server refuses pools with problems, but not those that were stored before it had the rules. */
function layoutOrProblem({ spec }: AddressPool): PoolLayout | string {
  const problem = poolProblems(spec).find(({ fatal }) => fatal);
  return problem ? `${problem.field}: ${problem.message}` : layoutOf(spec);
}
