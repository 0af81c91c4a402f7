import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addressOf, formatAddress } from "../ip/address.ts";
import { formatPrefix, type Prefix, prefixContains, prefixEquals, prefixesOverlap, prefixOf } from "../ip/prefix.ts";
import { createPrefixMap } from "./prefix-map.ts";

/** Prefixes crowded into 64 addresses of both families, so that they meet often. */
const crowded: fc.Arbitrary<Prefix> = fc
  .tuple(fc.constantFrom("ipv4" as const, "ipv6" as const), fc.nat({ max: 63 }), fc.nat({ max: 6 }))
  .map(([family, value, host]) => prefixOf(addressOf(family, BigInt(value)), (family === "ipv4" ? 32 : 128) - host));
const operation = fc.record({ prefix: crowded, value: fc.nat({ max: 3 }), remove: fc.boolean() });

test("a prefix map answers as a list that is searched from end to end", () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 40 }), crowded, (operations, probe) => {
      const map = createPrefixMap<number>();
      const list: { prefix: Prefix; value: number }[] = [];
      for (const { prefix, value, remove } of operations) {
        const at = list.findIndex((entry) => entry.value === value && prefixEquals(entry.prefix, prefix));
        if (!remove) {
          map.add(prefix, value);
          list.push({ prefix, value });
        } else {
          map.delete(prefix, value);
          if (at >= 0) list.splice(at, 1);
        }
      }
      const text = ({ value, offset }: { value: number; offset: bigint }) => `${value}+${offset}`;
      const holders = list.flatMap(({ prefix, value }) =>
        prefixContains(prefix, probe.address) ? [text({ value, offset: probe.address.value - prefix.address.value })] : [],
      );
      assert.deepEqual(map.holders(probe.address).map(text).sort(), holders.sort(), formatAddress(probe.address));
      const overlap = map.overlap(probe);
      const overlapping = list.filter(({ prefix }) => prefixesOverlap(prefix, probe));
      assert.equal(overlap !== undefined, overlapping.length > 0, formatPrefix(probe));
      if (overlap)
        assert.ok(overlapping.some(({ prefix, value }) => value === overlap.value && prefixEquals(prefix, overlap.prefix)));
    }),
    { numRuns: 500 },
  );
});
