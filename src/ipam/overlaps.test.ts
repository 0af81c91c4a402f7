import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPrefix } from "../ip/prefix.ts";
import { layoutOf } from "./layout.ts";
import { overlappingPools, type PoolAge } from "./overlaps.ts";

function pool(name: string, createdAt: string, ...subnets: { ipv4?: string; ipv6?: string }[]): PoolAge {
  return { name, createdAt, layout: layoutOf({ blockSizeBits: 2, subnets }) };
}

/** `pool network olderPool olderNetwork`, one line for each. */
function lines(...pools: PoolAge[]): string[] {
  return [...overlappingPools(pools).values()]
    .flat()
    .map((o) => `${o.pool} ${formatPrefix(o.network)} ${o.olderPool} ${formatPrefix(o.olderNetwork)}`);
}

test("pools that share no address are all granted from", () => {
  const a = pool("a", "2026-01-01T00:00:00Z", { ipv4: "10.0.0.0/24", ipv6: "fd02::/120" });
  assert.deepEqual(lines(a, pool("b", "2026-01-02T00:00:00Z", { ipv4: "10.0.1.0/24", ipv6: "fd02::100/120" })), []);
});

test("the younger pool is refused, whatever the order of the list", () => {
  const older = pool("z", "2026-01-01T00:00:00Z", { ipv4: "10.0.0.0/16" });
  const younger = pool("a", "2026-01-02T00:00:00Z", { ipv4: "10.1.0.0/16" }, { ipv4: "10.0.7.0/24" });
  assert.deepEqual(lines(older, younger), ["a 10.0.7.0/24 z 10.0.0.0/16"]);
  assert.deepEqual(lines(younger, older), ["a 10.0.7.0/24 z 10.0.0.0/16"]);
});

test("the second of two names is refused when both were made in one second", () => {
  const at = "2026-01-01T00:00:00Z";
  assert.deepEqual(lines(pool("b", at, { ipv6: "fd02::/64" }), pool("a", at, { ipv6: "fd02::8/125" })), [
    "b fd02::/64 a fd02::8/125",
  ]);
});

test("a pool that overlaps only a refused pool is granted from", () => {
  const pools = [
    pool("a", "2026-01-01T00:00:00Z", { ipv4: "10.0.0.0/24" }),
    pool("b", "2026-01-02T00:00:00Z", { ipv4: "10.0.0.0/23" }),
    pool("c", "2026-01-03T00:00:00Z", { ipv4: "10.0.1.0/24" }),
  ];
  assert.deepEqual(lines(...pools), ["b 10.0.0.0/23 a 10.0.0.0/24"]);
});
