import { type Address, tryParseAddress } from "../ip/address.ts";
import type { Family } from "../ip/family.ts";
import { formatPrefix, type Prefix, parsePrefix, prefixEquals, prefixesOverlap, tryParsePrefix } from "../ip/prefix.ts";
import { UNUSABLE } from "./pool-limits.ts";
import type { Problem } from "./problem.ts";

const NAME = { ipv4: "IPv4", ipv6: "IPv6" } as const;
const OTHER = { ipv4: "ipv6", ipv6: "ipv4" } as const;
const EXAMPLE = { ipv4: "10.2.0.0/16", ipv6: "fd02::/112" } as const;

/** The network a text names, host bits masked, or undefined where the API server's `isCIDR` is false. */
export function networkOf(text: string): Prefix | undefined {
  const address = tryParseAddress(text.slice(0, Math.max(0, text.indexOf("/"))));
  return address && !isMapped(address) ? tryParsePrefix(text) : undefined;
}

/** The network of the family that a text names, or undefined. */
export function networkOfFamily(text: string | undefined, family: Family): Prefix | undefined {
  const network = text === undefined ? undefined : networkOf(text);
  return network?.address.family === family ? network : undefined;
}

/** What is wrong with a text that should be a network of the family: see `networkRules`. */
export function networkProblems(text: string, family: Family, field: string): Problem[] {
  const network = networkOf(text);
  if (network?.address.family !== family) return [{ field, message: notNetwork(text, family, network), fatal: true }];
  const address = tryParseAddress(text.slice(0, text.indexOf("/")));
  if (address?.value === network.address.value) return [];
  return [{ field, message: `"${text}" has host bits set: the network is ${formatPrefix(network)}`, fatal: false }];
}

/** What is wrong with a network for pods: see `usableRule`. */
export function usableProblems(text: string, family: Family, field: string): Problem[] {
  const network = networkOfFamily(text, family);
  const unusable = network && UNUSABLE[family].find((other) => prefixesOverlap(network, parsePrefix(other)));
  if (!unusable) return [];
  const message = `"${text}" overlaps ${unusable}, whose addresses pods cannot have: use for example ${EXAMPLE[family]}`;
  return [{ field, message, fatal: false }];
}

/** Whether both texts name the same network, or are the same. */
export function sameNetwork(a: string | undefined, b: string | undefined): boolean {
  if (a === b) return true;
  const [first, second] = [networkOf(a ?? ""), networkOf(b ?? "")];
  return first !== undefined && second !== undefined && prefixEquals(first, second);
}

function notNetwork(text: string, family: Family, network: Prefix | undefined): string {
  if (network) {
    const other = OTHER[family];
    return `"${text}" is an ${NAME[other]} network: give it as ${other}, and here an ${NAME[family]} network or nothing`;
  }
  const address = tryParseAddress(text);
  if (address && !isMapped(address)) return `"${text}" has no prefix length: write a network, for example ${EXAMPLE[family]}`;
  return `"${text}" is not an ${NAME[family]} network: write for example ${EXAMPLE[family]}`;
}

// The API server takes no IPv4-mapped IPv6 address for an address.
function isMapped(address: Address): boolean {
  return address.family === "ipv6" && address.value >> 32n === 0xffffn;
}
