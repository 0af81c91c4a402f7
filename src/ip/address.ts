import { type Family, familyBits } from "./family.ts";
import { formatIPv4Text, formatIPv6Text, parseIPv4Text, parseIPv6Text } from "./text.ts";

/** An IPv4 or IPv6 address. Immutable; compare with {@link addressEquals}, key maps by {@link formatAddress}. */
export interface Address {
  readonly family: Family;
  /** Network byte order read as one number: 0 to 2^32-1 or 2^128-1. */
  readonly value: bigint;
}

/** An address from its value. Throws `RangeError` when the value does not fit the family. */
export function addressOf(family: Family, value: bigint): Address {
  if (value < 0n || value >> BigInt(familyBits(family)) !== 0n) {
    throw new RangeError(`Cannot make an ${family} address of ${value}: out of range`);
  }
  return { family, value };
}

/** Parses `10.2.0.1` or `fd02::1`. Throws `SyntaxError` for anything else, prefixes and zones included. */
export function parseAddress(text: string): Address {
  const address = tryParseAddress(text);
  if (!address) throw new SyntaxError(`Cannot parse ${JSON.stringify(text)} as an IP address`);
  return address;
}

/** Like {@link parseAddress}, with undefined for text that is not an address. */
export function tryParseAddress(text: string): Address | undefined {
  if (text.includes(":")) {
    const value = parseIPv6Text(text);
    return value === undefined ? undefined : { family: "ipv6", value };
  }
  const value = parseIPv4Text(text);
  return value === undefined ? undefined : { family: "ipv4", value };
}

/** Canonical text: dotted quad or RFC 5952. */
export function formatAddress(address: Address): string {
  return address.family === "ipv4" ? formatIPv4Text(address.value) : formatIPv6Text(address.value);
}

/** Whether both are the same address of the same family. */
export function addressEquals(a: Address, b: Address): boolean {
  return a.family === b.family && a.value === b.value;
}

/** Order for sorting: IPv4 before IPv6, then by value. */
export function compareAddresses(a: Address, b: Address): number {
  if (a.family !== b.family) return a.family === "ipv4" ? -1 : 1;
  return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
}

/** 4 or 16 bytes in network byte order, as the kernel takes them. */
export function addressToBytes(address: Address): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(familyBits(address.family) / 8);
  let value = address.value;
  for (let i = bytes.length - 1; i >= 0; i--) {
    bytes[i] = Number(value & 0xffn);
    value >>= 8n;
  }
  return bytes;
}

/** The inverse of {@link addressToBytes}. Throws `RangeError` unless there are 4 or 16 bytes. */
export function addressFromBytes(bytes: Uint8Array): Address {
  if (bytes.length !== 4 && bytes.length !== 16) {
    throw new RangeError(`Cannot read an IP address from ${bytes.length} bytes: want 4 or 16`);
  }
  const value = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return { family: bytes.length === 4 ? "ipv4" : "ipv6", value };
}
