import fc from "fast-check";
import type { AddressPoolSpec, SubnetSet } from "../../src/crd/address-pool.ts";
import { type Address, addressOf, formatAddress } from "../../src/ip/address.ts";
import type { Family } from "../../src/ip/family.ts";
import { prefixOf } from "../../src/ip/prefix.ts";

const GARBAGE = [
  "",
  "x",
  "10.2.0.0",
  "fd02::",
  "10.2.0.0/33",
  "fd02::/129",
  "10.2.0.0/08",
  "010.2.0.0/16",
  "10.2.0/16",
  "/24",
  "fe80::1%eth0/64",
];
const ODD = [
  "::ffff:10.2.0.0/112",
  "::ffff:a02:0/112",
  "::10.2.0.0/112",
  "64:ff9b::/96",
  "FD02:0:0::/112",
  "fd02:0::0:0/112",
  "0.0.0.0/0",
  "::/0",
];

/**
 * Specs of pools around the border between good and bad: few networks, close to each other, mostly of fitting sizes and in canonical
 * text, so that any rule may be broken alone or with others.
 */
export const poolSpecs: fc.Arbitrary<AddressPoolSpec> = fc
  .record({
    blockSizeBits: fc.oneof({ weight: 12, arbitrary: fc.integer({ min: 0, max: 8 }) }, fc.integer({ min: -1, max: 26 })),
    families: fc.constantFrom<readonly Family[][]>(
      [["ipv4"]],
      [["ipv6"]],
      [["ipv4", "ipv6"]],
      [["ipv4"], ["ipv6"], ["ipv4", "ipv6"]],
    ),
    hostBits: fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 4, max: 16 }) }, fc.integer({ min: 0, max: 60 })),
    count: fc.oneof({ weight: 10, arbitrary: fc.integer({ min: 1, max: 5 }) }, fc.constant(0)),
  })
  .chain(({ blockSizeBits, families, hostBits, count }) =>
    fc
      .array(subnets(families, hostBits), { minLength: count, maxLength: count })
      .map((list) => ({ blockSizeBits, subnets: list })),
  );

function subnets(families: readonly Family[][], bits: number): fc.Arbitrary<SubnetSet> {
  const sizes = fc.oneof({ weight: 8, arbitrary: fc.constant(bits) }, fc.integer({ min: 0, max: 128 }));
  return fc
    .record({ chosen: fc.constantFrom(...families), size: sizes, other: sizes, empty: fc.integer({ min: 0, max: 40 }) })
    .chain(({ chosen, size, other, empty }) => {
      const has = (family: Family) => empty > 0 && chosen.includes(family);
      return fc.record({
        ...(has("ipv4") && { ipv4: networkTexts("ipv4", Math.min(size, 32)) }),
        ...(has("ipv6") && { ipv6: networkTexts("ipv6", other === bits ? size : other) }),
      });
    });
}

function networkTexts(family: Family, hostBits: number): fc.Arbitrary<string> {
  const addresses = fc.integer({ min: 0, max: 40 }).chain((n) => fc.nat(7).map((low) => address(family, hostBits, n, low)));
  const length = (family === "ipv4" ? 32 : 128) - hostBits;
  const canonical = addresses.map((one) => `${formatAddress(prefixOf(one, length).address)}/${length}`);
  return fc.oneof(
    { weight: 40, arbitrary: canonical },
    { weight: 2, arbitrary: addresses.map((one) => `${formatAddress(one)}/${length}`) },
    { weight: 1, arbitrary: canonical.map((text) => text.toUpperCase()) },
    { weight: 1, arbitrary: fc.constantFrom(...GARBAGE, ...ODD, "x".repeat(65)) },
    { weight: 1, arbitrary: fc.constantFrom("10.2.0.0/24", "fd02::/120", "127.0.0.0/24", "ff02::/120", "169.254.0.0/16") },
  );
}

function address(family: Family, hostBits: number, n: number, low: number): Address {
  const bits = BigInt(family === "ipv4" ? 32 : 128);
  const base = family === "ipv4" ? 0x0a020000n : 0xfd02n << 112n;
  return addressOf(family, (base + (BigInt(n) << BigInt(hostBits)) + BigInt(low)) % (1n << bits));
}
