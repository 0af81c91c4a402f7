import { FAMILIES, type Family, familyBits } from "../ip/family.ts";
import { hostBits } from "../ip/prefix.ts";
import type { AddressPoolSpec } from "./address-pool.ts";
import { networkOfFamily } from "./network-text.ts";
import { MAX_BLOCKS, MAX_INDEX_BITS } from "./pool-limits.ts";
import type { Problem } from "./problem.ts";

const FIELD = "spec.subnets";

/** What is wrong with the number of blocks in the subnets of a pool: see `blockCountRules`. */
export function blockCountProblems(spec: AddressPoolSpec): Problem[] {
  return [...FAMILIES.flatMap((family) => narrowProblems(spec, family)), ...wideProblems(spec), ...sumProblems(spec)];
}

function narrowProblems({ blockSizeBits, subnets }: AddressPoolSpec, family: Family): Problem[] {
  for (const { [family]: text } of subnets) {
    const network = networkOfFamily(text, family);
    if (!network || hostBits(network) >= blockSizeBits) continue;
    const sizes = `${text} has 2^${hostBits(network)} addresses, a block 2^${blockSizeBits} (blockSizeBits)`;
    const message = `too narrow subnet: ${sizes}; use a /${familyBits(family) - blockSizeBits} or wider`;
    return [{ field: FIELD, message, fatal: true }];
  }
  return [];
}

function wideProblems(spec: AddressPoolSpec): Problem[] {
  const wide = indexSpaces(spec).find(({ bits }) => bits > MAX_INDEX_BITS);
  if (!wide) return [];
  const sizes = `${wide.text} has 2^${wide.bits} blocks of 2^${spec.blockSizeBits} addresses, a pool can have 2^${MAX_INDEX_BITS}`;
  const message = `too wide subnet: ${sizes}; use a /${familyBits(wide.family) - MAX_INDEX_BITS - spec.blockSizeBits} or narrower`;
  return [{ field: FIELD, message, fatal: false }];
}

function sumProblems(spec: AddressPoolSpec): Problem[] {
  const counted = indexSpaces(spec).filter(({ bits }) => bits >= 0 && bits <= MAX_INDEX_BITS);
  const count = counted.reduce((sum, { bits }) => sum + 2 ** bits, 0);
  if (count <= MAX_BLOCKS) return [];
  const sizes = `the subnets have ${count} of 2^${spec.blockSizeBits} addresses, a pool can have ${MAX_BLOCKS}`;
  return [{ field: FIELD, message: `too many blocks: ${sizes}; put some into another pool`, fatal: false }];
}

/** Log2 of the number of blocks of each subnet; from ipv4 if there is one. */
function indexSpaces({ blockSizeBits, subnets }: AddressPoolSpec): { text: string; family: Family; bits: number }[] {
  return subnets.flatMap((subnet) => {
    const family = subnet.ipv4 === undefined ? "ipv6" : "ipv4";
    const text = subnet[family];
    const network = networkOfFamily(text, family);
    return text !== undefined && network ? [{ text, family, bits: hostBits(network) - blockSizeBits }] : [];
  });
}
