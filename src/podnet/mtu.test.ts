import assert from "node:assert/strict";
import { test } from "node:test";
import type { LinkState } from "./host-state.ts";
import { chooseMtu } from "./mtu.ts";
import { LINK_GROUP } from "./names.ts";

function link(index: number, mtu: number, over: Partial<LinkState> = {}): LinkState {
  return { index, name: `link${index}`, altNames: [], mtu, up: true, loopback: false, group: 0, ...over };
}

const loopback = link(1, 65536, { name: "lo", loopback: true });

test("`chooseMtu()` follows the default routes of both families to the smaller MTU", () => {
  const links = [loopback, link(2, 9000), link(3, 1450, { kind: "vxlan" }), link(4, 1280)];
  assert.equal(chooseMtu(links, [2]), 9000);
  assert.equal(chooseMtu(links, [2, 3]), 1450);
});

test("`chooseMtu()` without a default route takes the smallest physical link that is up", () => {
  const links = [loopback, link(2, 9000), link(3, 1500), link(4, 1280, { up: false }), link(5, 1400, { kind: "wireguard" })];
  assert.equal(chooseMtu(links, []), 1500);
});

test("`chooseMtu()` without a physical link takes the smallest that is neither loopback nor a pod's", () => {
  const pods = [
    link(2, 1300, { kind: "veth", group: LINK_GROUP }),
    link(3, 1200, { kind: "veth", alias: "COIL:default:c:eth0" }),
  ];
  assert.equal(chooseMtu([loopback, ...pods, link(4, 1480, { kind: "veth" })], []), 1480);
  assert.equal(chooseMtu([loopback, ...pods], []), 0);
});
