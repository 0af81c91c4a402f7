import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress, parseAddress } from "../ip/address.ts";
import { formatPrefix, parsePrefix } from "../ip/prefix.ts";
import { planRouterRoutes, type RouterBlock, type RouterNode } from "./router-routes.ts";

const nodes: RouterNode[] = [
  { name: "a", ipv4: parseAddress("192.0.2.1"), ipv6: parseAddress("2001:db8::1") },
  { name: "b", ipv4: parseAddress("192.0.2.2"), ipv6: parseAddress("2001:db8::2") },
  { name: "c", ipv4: parseAddress("192.0.2.3") },
];

function block(name: string, node: string, ipv4?: string, ipv6?: string): RouterBlock {
  return { name, node, ...(ipv4 ? { ipv4: parsePrefix(ipv4) } : {}), ...(ipv6 ? { ipv6: parsePrefix(ipv6) } : {}) };
}

function plan(blocks: RouterBlock[]) {
  const { routes, skipped } = planRouterRoutes("a", nodes, blocks);
  return { routes: routes.map((r) => `${formatPrefix(r.destination)} via ${formatAddress(r.gateway)}`), skipped };
}

test("`planRouterRoutes()` leads other nodes' blocks to their nodes, in both families", () => {
  assert.deepStrictEqual(plan([block("p-0", "a", "10.2.0.0/27"), block("p-1", "b", "10.2.0.32/27", "fd02::20/123")]), {
    routes: ["10.2.0.32/27 via 192.0.2.2", "fd02::20/123 via 2001:db8::2"],
    skipped: [],
  });
});

test("`planRouterRoutes()` skips one family or one block with a reason, and no other", () => {
  assert.deepStrictEqual(plan([block("p-1", "gone", "10.2.0.32/27"), block("p-2", "c", "10.2.0.64/27", "fd02::40/123")]), {
    routes: ["10.2.0.64/27 via 192.0.2.3"],
    skipped: [
      { block: "p-1", reason: "there is no node gone" },
      { block: "p-2", reason: "node c has no ipv6 address" },
    ],
  });
});

test("`planRouterRoutes()` of two blocks with one network takes the same one on every node", () => {
  const blocks = [block("p-1", "b", "10.2.0.0/27"), block("p-9", "c", "10.2.0.0/27")];
  const expected = {
    routes: ["10.2.0.0/27 via 192.0.2.2"],
    skipped: [{ block: "p-9", reason: "10.2.0.0/27 already leads to 192.0.2.2" }],
  };
  assert.deepStrictEqual(plan(blocks), expected);
  assert.deepStrictEqual(plan(blocks.toReversed()), expected);
});
