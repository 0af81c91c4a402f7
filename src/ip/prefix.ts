import { type Address, addressOf, compareAddresses, formatAddress, tryParseAddress } from "./address.ts";
import { type Family, familyBits } from "./family.ts";

/** A network: the host bits of `address` are zero. Immutable. */
export interface Prefix {
  /** The first address of the network. */
  readonly address: Address;
  /** Bits of the network part: 0 to 32 or 128. */
  readonly length: number;
}

/** The network of `length` bits that holds `address`. Throws `RangeError` when the length does not fit the family. */
export function prefixOf(address: Address, length: number): Prefix {
  const bits = familyBits(address.family);
  if (!Number.isInteger(length) || length < 0 || length > bits) {
    throw new RangeError(`Cannot make an ${address.family} prefix of ${length} bits: want 0 to ${bits}`);
  }
  const host = BigInt(bits - length);
  return { address: addressOf(address.family, (address.value >> host) << host), length };
}

/** The /32 or /128 of one address. */
export function hostPrefix(address: Address): Prefix {
  return { address, length: familyBits(address.family) };
}

/** Parses `10.2.0.0/16`, masking host bits. Throws `SyntaxError`. */
export function parsePrefix(text: string): Prefix {
  const prefix = tryParsePrefix(text);
  if (!prefix)
    throw new SyntaxError(`Cannot parse ${JSON.stringify(text)} as an IP prefix, for example 10.2.0.0/16 or fd02::/112`);
  return prefix;
}

/** Like {@link parsePrefix}, with undefined for text that is not a prefix. */
export function tryParsePrefix(text: string): Prefix | undefined {
  const [base, length, ...rest] = text.split("/");
  if (base === undefined || length === undefined || rest.length > 0 || !/^(0|[1-9][0-9]{0,2})$/.test(length)) return undefined;
  const address = tryParseAddress(base);
  if (!address || Number(length) > familyBits(address.family)) return undefined;
  return prefixOf(address, Number(length));
}

/** Canonical text, `10.2.0.0/16` or `fd02::/112`. */
export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress(prefix.address)}/${prefix.length}`;
}

/** The family of a prefix. */
export function prefixFamily(prefix: Prefix): Family {
  return prefix.address.family;
}

/** Bits of the host part: log2 of the number of addresses. */
export function hostBits(prefix: Prefix): number {
  return familyBits(prefix.address.family) - prefix.length;
}

/** Whether both name the same network. */
export function prefixEquals(a: Prefix, b: Prefix): boolean {
  return a.length === b.length && a.address.family === b.address.family && a.address.value === b.address.value;
}

/** Order for sorting: IPv4 before IPv6, then by address, wide before narrow. */
export function comparePrefixes(a: Prefix, b: Prefix): number {
  return compareAddresses(a.address, b.address) || a.length - b.length;
}

/** Whether `address` lies in `prefix`; false across families. */
export function prefixContains(prefix: Prefix, address: Address): boolean {
  const host = BigInt(hostBits(prefix));
  return prefix.address.family === address.family && prefix.address.value >> host === address.value >> host;
}

/** Whether the two networks share an address; false across families. */
export function prefixesOverlap(a: Prefix, b: Prefix): boolean {
  return a.length <= b.length ? prefixContains(a, b.address) : prefixContains(b, a.address);
}

/** Address number `offset` of the network. Throws `RangeError` outside of it. */
export function addressAt(prefix: Prefix, offset: bigint): Address {
  if (offset < 0n || offset >> BigInt(hostBits(prefix)) !== 0n) {
    throw new RangeError(`Cannot take address ${offset} of ${formatPrefix(prefix)}: out of range`);
  }
  return { family: prefix.address.family, value: prefix.address.value + offset };
}

/** The number of `address` in the network, or undefined when it lies outside. */
export function offsetOf(prefix: Prefix, address: Address): bigint | undefined {
  return prefixContains(prefix, address) ? address.value - prefix.address.value : undefined;
}
