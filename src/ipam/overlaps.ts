import { comparePrefixes, type Prefix } from "../ip/prefix.ts";
import { blockNetworks } from "./block.ts";
import type { PoolLayout } from "./layout.ts";
import { createPrefixMap } from "./prefix-map.ts";

/** What decides which of two pools came first. */
export interface PoolAge {
  readonly name: string;
  /** RFC 3339 text of `metadata.creationTimestamp`. */
  readonly createdAt: string;
  readonly layout: PoolLayout;
}

/** One network of a pool that shares addresses with an older pool. */
export interface PoolOverlap {
  readonly pool: string;
  readonly network: Prefix;
  readonly olderPool: string;
  readonly olderNetwork: Prefix;
}

/**
 * Pools that must not be granted from because they share addresses with an older one, with one overlap for each network that has
 * any. Admission refuses overlaps, but two pools made at the same moment can slip through. Of those the older one, by creation time
 * and then by name, goes on; a pool that only overlaps a refused one goes on too.
 */
export function overlappingPools(pools: readonly PoolAge[]): Map<string, PoolOverlap[]> {
  const oldestFirst = [...pools].sort((a, b) => compareText(a.createdAt, b.createdAt) || compareText(a.name, b.name));
  const accepted = createPrefixMap<string>();
  const refused = new Map<string, PoolOverlap[]>();
  for (const { name, layout } of oldestFirst) {
    const networks = layout.items.flatMap(blockNetworks).sort(comparePrefixes);
    const overlaps = networks.flatMap((network): PoolOverlap[] => {
      const older = accepted.overlap(network);
      return older ? [{ pool: name, network, olderPool: older.value, olderNetwork: older.prefix }] : [];
    });
    if (overlaps.length > 0) refused.set(name, overlaps);
    else for (const network of networks) accepted.add(network, name);
  }
  return refused;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
