import assert from "node:assert/strict";
import { test } from "node:test";
import type { AddressPoolSpec } from "./address-pool.ts";
import { poolChangeProblems } from "./pool-change-problems.ts";

const OLD: AddressPoolSpec = { blockSizeBits: 5, subnets: [{ ipv4: "10.2.0.5/24" }, { ipv4: "10.3.0.0/24" }] };

test("`poolChangeProblems()` lets subnets be appended, and written in another way", () => {
  const subnets = [{ ipv4: "10.2.0.0/24" }, { ipv4: "10.3.0.0/24" }, { ipv4: "10.4.0.0/24" }];
  assert.deepEqual(poolChangeProblems(OLD, { blockSizeBits: 5, subnets }), []);
});

test("`poolChangeProblems()` names everything that must not change", () => {
  const found = poolChangeProblems(OLD, { blockSizeBits: 4, subnets: [{ ipv4: "10.2.0.0/25", ipv6: "fd02::/121" }] });
  assert.deepEqual(
    found.map(({ field, message }) => `${field}: ${message.split(";")[0]}`),
    [
      "spec.blockSizeBits: unchangeable: blocks of 2^5 addresses may be in use",
      "spec.subnets: unshrinkable: there were 2 subnets, now 1",
      "spec.subnets: unchangeable: subnets[0].ipv4 was 10.2.0.5/24, now 10.2.0.0/25",
      "spec.subnets: unchangeable: subnets[0].ipv6 was nothing, now fd02::/121",
    ],
  );
});
