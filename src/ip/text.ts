/**
 * Textual forms of addresses: dotted quad for IPv4 (no leading zeros, which some parsers read as octal), RFC 4291 section 2.2
 * for IPv6 on input and RFC 5952 on output. No zone identifiers: a pod address never has one.
 */

const DECIMAL_OCTET = /^(0|[1-9][0-9]{0,2})$/;
const HEX_GROUP = /^[0-9a-fA-F]{1,4}$/;

/** The value of a dotted quad, or undefined when the text is not one. */
export function parseIPv4Text(text: string): bigint | undefined {
  const octets = text.split(".");
  if (octets.length !== 4) return undefined;
  let value = 0;
  for (const octet of octets) {
    if (!DECIMAL_OCTET.test(octet) || Number(octet) > 255) return undefined;
    value = value * 256 + Number(octet);
  }
  return BigInt(value);
}

/** The value of an IPv6 address, or undefined when the text is not one. The last 32 bits may be a dotted quad. */
export function parseIPv6Text(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const groups = [...(head ?? []), ...(tail ?? [])];
  const last = groups.at(-1);
  let low = 0n;
  let lowGroups = 0;
  if (last?.includes(".")) {
    const quad = parseIPv4Text(last);
    if (quad === undefined) return undefined;
    // The quad must be the end of the text, and stands for two groups.
    const holder = tail?.length ? tail : head;
    holder?.pop();
    low = quad;
    lowGroups = 2;
  }
  const headValues = parseGroups(head ?? []);
  const tailValues = parseGroups(tail ?? []);
  if (!headValues || !tailValues) return undefined;
  if (lowGroups > 0 && halves.length === 2 && text.endsWith("::")) return undefined;
  const present = headValues.length + tailValues.length + lowGroups;
  if (halves.length === 1 ? present !== 8 : present > 7) return undefined;
  const zeros = new Array<bigint>(8 - present).fill(0n);
  const high = [...headValues, ...zeros, ...tailValues].reduce((sum, group) => (sum << 16n) | group, 0n);
  return lowGroups > 0 ? (high << 32n) | low : high;
}

function parseGroups(groups: readonly string[]): bigint[] | undefined {
  if (!groups.every((group) => HEX_GROUP.test(group))) return undefined;
  return groups.map((group) => BigInt(Number.parseInt(group, 16)));
}

/** `10.2.0.1` from its value. */
export function formatIPv4Text(value: bigint): string {
  const n = Number(value);
  return `${n >>> 24}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`;
}

/** RFC 5952: lower case, no leading zeros, the first longest run of two or more zero groups as `::`. */
export function formatIPv6Text(value: bigint): string {
  const groups: number[] = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n) groups.push(Number((value >> shift) & 0xffffn));
  // IPv4-mapped addresses are written with a dotted quad (RFC 5952 section 5).
  if (value >> 32n === 0xffffn) return `::ffff:${formatIPv4Text(value & 0xffffffffn)}`;
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const text = (part: readonly number[]) => part.map((group) => group.toString(16)).join(":");
  if (best.start < 0) return text(groups);
  return `${text(groups.slice(0, best.start))}::${text(groups.slice(best.start + best.length))}`;
}
