import type { AddressPoolSpec, SubnetSet } from "../crd/address-pool.ts";
import { familyBits } from "../ip/family.ts";
import { addressAt, formatPrefix, hostBits, type Prefix, parsePrefix, prefixFamily, prefixOf } from "../ip/prefix.ts";

/** The networks of one block: one family, or both with as many addresses. */
export interface BlockPrefixes {
  readonly ipv4?: Prefix;
  readonly ipv6?: Prefix;
}

/** One item of a pool's subnets, with the block indices it contributes. */
interface LayoutItem extends BlockPrefixes {
  /** Index of its first block in the pool. */
  readonly start: bigint;
  /** How many blocks it is cut into. */
  readonly count: bigint;
}

/**
 * How a pool is cut into blocks: one index space over all subnets, in their order. Appending a subnet adds indices at the end, so
 * that no block changes its number.
 */
export interface PoolLayout {
  /** Log2 of the number of addresses in a block. */
  readonly blockSizeBits: number;
  readonly items: readonly LayoutItem[];
}

/** The layout of a valid pool. Throws `SyntaxError` or `RangeError` where `poolProblems` would have found a problem. */
export function layoutOf(spec: AddressPoolSpec): PoolLayout {
  const items: LayoutItem[] = [];
  let start = 0n;
  for (const subnet of spec.subnets) {
    const prefixes = prefixesOf(subnet);
    const count = 1n << BigInt(indexBits(prefixes, spec.blockSizeBits));
    items.push({ ...prefixes, start, count });
    start += count;
  }
  return { blockSizeBits: spec.blockSizeBits, items };
}

function prefixesOf({ ipv4, ipv6 }: SubnetSet): BlockPrefixes {
  return { ...(ipv4 !== undefined && { ipv4: parsePrefix(ipv4) }), ...(ipv6 !== undefined && { ipv6: parsePrefix(ipv6) }) };
}

function indexBits({ ipv4, ipv6 }: BlockPrefixes, blockSizeBits: number): number {
  const prefix = ipv4 ?? ipv6;
  if (!prefix) throw new RangeError("Cannot lay out a subnet without ipv4 and ipv6");
  if (ipv4 && ipv6 && hostBits(ipv4) !== hostBits(ipv6)) {
    throw new RangeError(`Cannot lay out ${formatPrefix(ipv4)} with ${formatPrefix(ipv6)}: they differ in size`);
  }
  const bits = hostBits(prefix) - blockSizeBits;
  if (bits < 0)
    throw new RangeError(`Cannot lay out ${formatPrefix(prefix)}: a block of 2^${blockSizeBits} addresses does not fit`);
  return bits;
}

/** How many blocks the pool has. May exceed what a block's index field can hold; see {@link MAX_INDEX}. */
export function blockCount(layout: PoolLayout): bigint {
  return layout.items.reduce((sum, { count }) => sum + count, 0n);
}

/** The largest index an AddressBlock can carry (int32). */
export const MAX_INDEX = 2 ** 31 - 1;

/** The first index behind the subnet that `index` lies in. */
export function subnetEnd(layout: PoolLayout, index: number): number {
  const item = layout.items.find(({ start, count }) => BigInt(index) < start + count);
  return item ? Number(item.start + item.count) : index + 1;
}

/** The networks of block `index`, or undefined past the end of the pool. */
export function blockAt(layout: PoolLayout, index: number): BlockPrefixes | undefined {
  const global = BigInt(index);
  const item = layout.items.find(({ start, count }) => global >= start && global < start + count);
  if (!item) return undefined;
  const cut = (prefix: Prefix) => {
    const offset = (global - item.start) << BigInt(layout.blockSizeBits);
    return prefixOf(addressAt(prefix, offset), familyBits(prefixFamily(prefix)) - layout.blockSizeBits);
  };
  return { ...(item.ipv4 && { ipv4: cut(item.ipv4) }), ...(item.ipv6 && { ipv6: cut(item.ipv6) }) };
}
