import { FAMILIES, type Family } from "../ip/family.ts";
import type { AddressPoolSpec } from "./address-pool.ts";
import { sameNetwork } from "./network-text.ts";
import type { Problem } from "./problem.ts";

const FIELD = "spec.subnets";

/** What is wrong with changing the spec of a pool into another one that is valid by itself: empty exactly when that is allowed. */
export function poolChangeProblems(old: AddressPoolSpec, spec: AddressPoolSpec): Problem[] {
  return [
    ...blockSizeProblems(old.blockSizeBits, spec.blockSizeBits),
    ...shrinkProblems(old.subnets.length, spec.subnets.length),
    ...FAMILIES.flatMap((family) => subnetProblems(old, spec, family)),
  ];
}

function blockSizeProblems(old: number, now: number): Problem[] {
  if (old === now) return [];
  const message = `unchangeable: blocks of 2^${old} addresses may be in use; leave it ${old}, or make another pool with ${now}`;
  return [{ field: "spec.blockSizeBits", message, fatal: true }];
}

function shrinkProblems(old: number, now: number): Problem[] {
  if (now >= old) return [];
  const advice = "blocks of a removed one may be in use, so keep them all, or make another pool";
  return [{ field: FIELD, message: `unshrinkable: there were ${old} subnets, now ${now}; ${advice}`, fatal: true }];
}

function subnetProblems(old: AddressPoolSpec, spec: AddressPoolSpec, family: Family): Problem[] {
  for (const [i, { [family]: before }] of old.subnets.entries()) {
    const subnet = spec.subnets[i];
    if (!subnet || sameNetwork(before, subnet[family])) continue;
    const shown = `subnets[${i}].${family} was ${before ?? "nothing"}, now ${subnet[family] ?? "nothing"}`;
    const message = `unchangeable: ${shown}; its blocks may be in use, so leave it and append new subnets`;
    return [{ field: FIELD, message, fatal: true }];
  }
  return [];
}
