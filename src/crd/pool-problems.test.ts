import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { poolSpecs } from "../../test/support/pool-arbitrary.ts";
import { FAMILIES } from "../ip/family.ts";
import { type Prefix, prefixesOverlap } from "../ip/prefix.ts";
import { blockAt, blockCount, layoutOf } from "../ipam/layout.ts";
import type { AddressPoolSpec } from "./address-pool.ts";
import { MAX_SUBNETS } from "./pool-limits.ts";
import { poolProblems } from "./pool-problems.ts";

// That these are the API server's own findings and words is tested against a real one: test/api/crd-address-pool.api.test.ts.
const ipv4 = (count: number) => Array.from({ length: count }, (_, i) => ({ ipv4: `10.${i >> 8}.${i & 255}.0/24` }));
const pool = (blockSizeBits: number, ...subnets: AddressPoolSpec["subnets"]): AddressPoolSpec => ({ blockSizeBits, subnets });
const problems = (spec: AddressPoolSpec | undefined) =>
  poolProblems(spec).map(({ field, message, fatal }) => `${fatal ? "fatal " : ""}${field}: ${message.split(":")[0]}`);

test("`poolProblems()` finds nothing in pools of one family, and of both", () => {
  for (const subnets of [ipv4(MAX_SUBNETS), [{ ipv6: "fd02::/92" }], [{ ipv4: "10.0.0.0/8", ipv6: "fd02::/104" }]]) {
    assert.deepEqual(poolProblems(pool(5, ...subnets)), []);
  }
});

test("`poolProblems()` tells what cannot be worked with from what is only refused", () => {
  assert.deepEqual(problems(undefined), ["fatal spec: give spec.subnets at least one network, for example ipv4"]);
  assert.deepEqual(problems(pool(5)), ["fatal spec.subnets: there are 0 subnets"]);
  assert.deepEqual(problems(pool(25, { ipv6: "fd02::/96" })), [
    "fatal spec.blockSizeBits: 25 is not a whole number from 0 to 24",
  ]);
  assert.deepEqual(problems(pool(5, { ipv4: "10.2.0.0/28" })), ["fatal spec.subnets: too narrow subnet"]);
  assert.deepEqual(problems(pool(5, {}, { ipv4: "10.2.0.0/27" })), [
    "fatal spec.subnets[0]: invalid subnet",
    "spec.subnets: mixed families",
  ]);
  assert.deepEqual(problems(pool(5, { ipv4: "10.2.0.1/24" })), ['spec.subnets[0].ipv4: "10.2.0.1/24" has host bits set']);
  assert.deepEqual(problems(pool(0, { ipv6: "fd02::/64" })), ["spec.subnets: too wide subnet"]);
  assert.deepEqual(problems(pool(0, { ipv6: "fd02::/98" }, { ipv6: "fd03::/97" })), ["spec.subnets: too many blocks"]);
  assert.deepEqual(problems(pool(5, ...ipv4(MAX_SUBNETS + 1))), [`spec.subnets: there are ${MAX_SUBNETS + 1} subnets`]);
});

test("`poolProblems()` finds several broken rules at once", () => {
  assert.deepEqual(problems(pool(9, { ipv4: "10.2.0.1/24" }, { ipv4: "10.2.0.0/24", ipv6: "fd02::/112" })), [
    'spec.subnets[0].ipv4: "10.2.0.1/24" has host bits set',
    "fatal spec.subnets[1]: dual stack subnet must be the same size",
    "fatal spec.subnets: 10.2.0.0/24 overlaps 10.2.0.1/24",
    "spec.subnets: mixed families",
    "fatal spec.subnets: too narrow subnet",
  ]);
});

test("a pool in which `poolProblems()` finds nothing fatal can be cut into blocks that do not overlap", () => {
  fc.assert(
    fc.property(poolSpecs, fc.nat(), fc.nat(), (spec, m, n) => {
      fc.pre(!poolProblems(spec).some(({ fatal }) => fatal));
      const layout = layoutOf(spec);
      const count = Number(blockCount(layout));
      const [i, j] = [m % count, n % count];
      const [a, b] = [blockAt(layout, i), blockAt(layout, j)];
      assert.ok(a && b);
      const pairs = FAMILIES.map((family): [Prefix | undefined, Prefix | undefined] => [a[family], b[family]]);
      if (i !== j) assert.ok(!pairs.some(([first, second]) => first && second && prefixesOverlap(first, second)));
    }),
  );
});
