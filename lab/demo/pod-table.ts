import type { AddressBlock } from "../../src/crd/address-block.ts";
import { LABEL_NODE, LABEL_POOL } from "../../src/crd/names.ts";
import { parseAddress } from "../../src/ip/address.ts";
import { type Prefix, parsePrefix, prefixContains } from "../../src/ip/prefix.ts";
import type { RunningPod } from "./running-pods.ts";

/** A pod with the block that its addresses are from. */
export interface PlacedPod extends RunningPod {
  /** Absent when an address lies in no block, or the addresses lie in different ones. */
  readonly block?: { readonly name: string; readonly pool: string; readonly node: string };
}

/** Finds the block of each pod. */
export function placePods(pods: readonly RunningPod[], blocks: readonly AddressBlock[]): PlacedPod[] {
  const networks = blocks.map((block) => ({ block, prefixes: prefixesOf(block) }));
  return pods.map((pod) => {
    const holds = (prefixes: readonly Prefix[]) =>
      pod.addresses.every((text) => prefixes.some((prefix) => prefixContains(prefix, parseAddress(text))));
    const found = pod.addresses.length > 0 ? networks.find(({ prefixes }) => holds(prefixes))?.block : undefined;
    const labels = found?.metadata.labels ?? {};
    if (!found) return pod;
    return { ...pod, block: { name: found.metadata.name, pool: labels[LABEL_POOL] ?? "", node: labels[LABEL_NODE] ?? "" } };
  });
}

/** Rows for a table, with a heading. */
export function podRows(pods: readonly PlacedPod[]): string[][] {
  return [
    ["NODE", "POD", "POOL", "BLOCK", "ADDRESSES"],
    ...pods.map(({ node, namespace, name, addresses, block }) => [
      node,
      `${namespace}/${name}`,
      block?.pool ?? "?",
      block?.name ?? "?",
      addresses.join(" "),
    ]),
  ];
}

function prefixesOf({ ipv4, ipv6 }: AddressBlock): Prefix[] {
  return [ipv4, ipv6].flatMap((text) => (text ? [parsePrefix(text)] : []));
}
