import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addressOf, formatAddress, parseAddress } from "./address.ts";
import { type Family, familyBits } from "./family.ts";
import {
  addressAt,
  comparePrefixes,
  formatPrefix,
  hostBits,
  hostPrefix,
  offsetOf,
  type Prefix,
  parsePrefix,
  prefixContains,
  prefixEquals,
  prefixesOverlap,
  prefixFamily,
  prefixOf,
  tryParsePrefix,
} from "./prefix.ts";

const prefixOfFamily = (family: Family): fc.Arbitrary<Prefix> =>
  fc
    .tuple(fc.bigInt({ min: 0n, max: (1n << BigInt(familyBits(family))) - 1n }), fc.nat({ max: familyBits(family) }))
    .map(([value, length]) => prefixOf(addressOf(family, value), length));
const anyPrefix = fc.oneof(prefixOfFamily("ipv4"), prefixOfFamily("ipv6"));
/** Prefixes crowded into 16 addresses, so that they meet often. */
const crowded = fc
  .tuple(fc.nat({ max: 15 }), fc.integer({ min: 28, max: 32 }))
  .map(([value, length]) => prefixOf(addressOf("ipv4", BigInt(value)), length));

test("a prefix survives its text", () => {
  fc.assert(
    fc.property(anyPrefix, (prefix) => {
      assert.deepEqual(parsePrefix(formatPrefix(prefix)), prefix);
    }),
  );
});

test("parsePrefix() masks host bits", () => {
  assert.equal(formatPrefix(parsePrefix("10.2.0.5/24")), "10.2.0.0/24");
  assert.equal(formatPrefix(parsePrefix("fd02::ffff/112")), "fd02::/112");
  assert.equal(formatPrefix(parsePrefix("1.2.3.4/0")), "0.0.0.0/0");
});

test("text that is not a prefix", () => {
  for (const text of [
    "",
    "10.2.0.0",
    "10.2.0.0/",
    "/24",
    "10.2.0.0/33",
    "::/129",
    "10.2.0.0/024",
    "10.2.0.0/+8",
    "10.2.0.0/8/8",
    "10.2/16",
  ]) {
    assert.equal(tryParsePrefix(text), undefined, text);
    assert.throws(() => parsePrefix(text), SyntaxError, text);
  }
});

test("prefixOf() refuses lengths outside of the family", () => {
  for (const length of [-1, 33, 1.5, Number.NaN]) assert.throws(() => prefixOf(parseAddress("10.0.0.1"), length), RangeError);
});

test("addressAt() and offsetOf() are inverse, from the first address to the last", () => {
  fc.assert(
    fc.property(anyPrefix, fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), (prefix, seed) => {
      const offset = seed & ((1n << BigInt(hostBits(prefix))) - 1n);
      const address = addressAt(prefix, offset);
      assert.ok(prefixContains(prefix, address));
      assert.equal(offsetOf(prefix, address), offset);
      assert.equal(address.family, prefixFamily(prefix));
    }),
  );
});

test("addressAt() refuses what lies outside, offsetOf() says so", () => {
  const prefix = parsePrefix("10.2.0.0/31");
  assert.equal(formatAddress(addressAt(prefix, 1n)), "10.2.0.1");
  assert.throws(() => addressAt(prefix, 2n), RangeError);
  assert.throws(() => addressAt(prefix, -1n), RangeError);
  assert.equal(offsetOf(prefix, parseAddress("10.2.0.2")), undefined);
  assert.equal(offsetOf(prefix, parseAddress("::10.2.0.1")), undefined);
});

test("prefixesOverlap() says whether an address is in both", () => {
  fc.assert(
    fc.property(crowded, crowded, (a, b) => {
      const both = Array.from({ length: 16 }, (_, i) => addressOf("ipv4", BigInt(i))).some(
        (address) => prefixContains(a, address) && prefixContains(b, address),
      );
      assert.equal(prefixesOverlap(a, b), both);
      assert.equal(prefixesOverlap(b, a), both);
    }),
  );
  assert.equal(prefixesOverlap(parsePrefix("0.0.0.0/0"), parsePrefix("::/0")), false);
});

test("comparePrefixes() sorts IPv4 first, then by address, then wide before narrow", () => {
  const texts = ["::/0", "10.0.0.0/24", "10.0.0.0/8", "9.0.0.0/8"];
  const sorted = texts.map(parsePrefix).sort(comparePrefixes).map(formatPrefix);
  assert.deepEqual(sorted, ["9.0.0.0/8", "10.0.0.0/8", "10.0.0.0/24", "::/0"]);
  fc.assert(fc.property(crowded, crowded, (a, b) => assert.equal(comparePrefixes(a, b) === 0, prefixEquals(a, b))));
});

test("hostPrefix() is one address", () => {
  assert.equal(formatPrefix(hostPrefix(parseAddress("10.0.0.1"))), "10.0.0.1/32");
  assert.equal(formatPrefix(hostPrefix(parseAddress("fd02::1"))), "fd02::1/128");
});
