import { FAMILIES, type Family } from "../ip/family.ts";
import { hostBits, prefixesOverlap } from "../ip/prefix.ts";
import type { AddressPoolSpec, SubnetSet } from "./address-pool.ts";
import { blockCountProblems } from "./block-count-problems.ts";
import { networkOf, networkOfFamily, networkProblems, usableProblems } from "./network-text.ts";
import { MAX_BLOCK_SIZE_BITS, MAX_NETWORK_TEXT, MAX_SUBNETS } from "./pool-limits.ts";
import type { Problem } from "./problem.ts";

const FIELD = "spec.subnets";

/**
 * What is wrong with the spec of an AddressPool: empty exactly when the API server accepts it for a new pool. The rules are those
 * of the CustomResourceDefinition, for pools that were stored before it had them.
 */
export function poolProblems(spec: AddressPoolSpec | undefined): Problem[] {
  if (!spec) {
    return [{ field: "spec", message: "give spec.subnets at least one network, for example ipv4: 10.2.0.0/16", fatal: true }];
  }
  const { blockSizeBits, subnets } = spec;
  return [
    ...blockSizeProblems(blockSizeBits),
    ...listProblems(subnets),
    ...subnets.flatMap((subnet, i) => subnetProblems(subnet, `${FIELD}[${i}]`)),
    ...FAMILIES.flatMap((family) => overlapProblems(subnets, family)),
    ...mixedProblems(subnets),
    ...blockCountProblems(spec),
  ];
}

function blockSizeProblems(bits: number): Problem[] {
  if (Number.isInteger(bits) && bits >= 0 && bits <= MAX_BLOCK_SIZE_BITS) return [];
  const message = `${bits} is not a whole number from 0 to ${MAX_BLOCK_SIZE_BITS}`;
  return [{ field: "spec.blockSizeBits", message, fatal: true }];
}

function listProblems(subnets: readonly SubnetSet[]): Problem[] {
  if (subnets.length > 0 && subnets.length <= MAX_SUBNETS) return [];
  return [
    { field: FIELD, message: `there are ${subnets.length} subnets: give 1 to ${MAX_SUBNETS}`, fatal: subnets.length === 0 },
  ];
}

function subnetProblems({ ipv4, ipv6 }: SubnetSet, field: string): Problem[] {
  if (ipv4 === undefined && ipv6 === undefined)
    return [{ field, message: "invalid subnet: give ipv4, ipv6 or both", fatal: true }];
  return [
    ...textProblems(ipv4, "ipv4", `${field}.ipv4`),
    ...textProblems(ipv6, "ipv6", `${field}.ipv6`),
    ...sameSizeProblems({ ipv4, ipv6 }, field),
  ];
}

function textProblems(text: string | undefined, family: Family, field: string): Problem[] {
  if (text === undefined) return [];
  if (text.length > MAX_NETWORK_TEXT)
    return [{ field, message: `a network has up to ${MAX_NETWORK_TEXT} characters`, fatal: true }];
  return [...networkProblems(text, family, field), ...usableProblems(text, family, field)];
}

function sameSizeProblems(texts: { ipv4: string | undefined; ipv6: string | undefined }, field: string): Problem[] {
  const [ipv4, ipv6] = [networkOfFamily(texts.ipv4, "ipv4"), networkOfFamily(texts.ipv6, "ipv6")];
  if (!ipv4 || !ipv6 || hostBits(ipv4) === hostBits(ipv6)) return [];
  const sizes = `${texts.ipv4} has 2^${hostBits(ipv4)} addresses, ${texts.ipv6} has 2^${hostBits(ipv6)}`;
  const advice = `a /${ipv4.length} goes with an ipv6 /${96 + ipv4.length}`;
  return [{ field, message: `dual stack subnet must be the same size: ${sizes}; ${advice}`, fatal: true }];
}

function overlapProblems(subnets: readonly SubnetSet[], family: Family): Problem[] {
  const networks = subnets.flatMap(({ [family]: text = "" }) => {
    const network = networkOf(text);
    return network ? [{ text, network }] : [];
  });
  for (const [i, a] of networks.entries()) {
    const b = networks.slice(i + 1).find((other) => prefixesOverlap(a.network, other.network));
    if (!b) continue;
    const advice = "an address can be in a pool only once; remove one, or split the wider";
    return [{ field: FIELD, message: `${b.text} overlaps ${a.text}: ${advice}`, fatal: true }];
  }
  return [];
}

function mixedProblems(subnets: readonly SubnetSet[]): Problem[] {
  const kinds = subnets.map(families);
  const other = kinds.findIndex((kind) => kind !== kinds[0]);
  if (other < 0) return [];
  const shown = `subnets[0] has ${kinds[0]}, subnets[${other}] has ${kinds[other]}`;
  return [{ field: FIELD, message: `mixed families: ${shown}; give all the same, or make another pool`, fatal: false }];
}

function families({ ipv4, ipv6 }: SubnetSet): string {
  if (ipv4 !== undefined) return ipv6 === undefined ? "ipv4" : "ipv4 and ipv6";
  return ipv6 === undefined ? "none" : "ipv6";
}
