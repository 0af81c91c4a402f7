import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseAddress } from "../ip/address.ts";
import { parsePrefix } from "../ip/prefix.ts";
import { describeRepair, type HostSide, type HostSideState, hostDrift, hostSideOf } from "./host-drift.ts";
import { interfaceMacs, LINK_GROUP } from "./names.ts";
import type { KnownPod } from "./observed-pods.ts";

const config = { podTable: 116, protocol: 30, nodeIPv4: parseAddress("192.0.2.10") };
const ours: KnownPod = {
  key: "c1:eth0",
  containerId: "c1",
  ifname: "eth0",
  pool: "default",
  ipv4: parseAddress("10.2.0.5"),
  ipv6: parseAddress("fd02::5"),
  podUid: "uid-1",
  network: "net",
  hostInterface: "veth1",
  index: 9,
  macs: interfaceMacs("c1:eth0"),
  origin: "ours",
};
const { podUid, network, ...rest } = ours;
const foreign: KnownPod = { ...rest, origin: "go" };

/** The state in which all that is wanted is there. */
function perfect(side: HostSide): HostSideState {
  const { index, own } = side;
  return {
    link: {
      index,
      name: "veth1",
      altNames: own?.altNames ?? [],
      alias: own?.alias ?? "COIL:default:c1:eth0",
      mtu: 1500,
      up: true,
      loopback: false,
      group: own?.group ?? 0,
    },
    addresses: (own?.addresses ?? []).map((address) => ({ ...address, index, tentative: false })),
    neighbours: (own?.neighbours ?? []).map((neighbour) => ({ ...neighbour, index, state: "permanent" })),
    routes: side.routes.map((route) => ({ ...route, destination: route.destination ?? parsePrefix("::/0"), index, metric: 0 })),
  };
}

test("`hostDrift()` finds nothing where all is there", () => {
  assert.deepStrictEqual([podUid, network], ["uid-1", "net"]);
  for (const pod of [ours, foreign]) {
    const side = hostSideOf(pod, config);
    assert.deepStrictEqual(hostDrift(side, perfect(side)), []);
  }
});

test("`hostDrift()` names exactly what was taken away or altered, in an order that can be applied", () => {
  const side = hostSideOf(ours, config);
  const good = perfect(side);
  const damages: [string, (state: HostSideState) => HostSideState][] = [
    ["link up", (s) => ({ ...s, link: { ...s.link, up: false } })],
    ["alias COIL:default:c1:eth0", (s) => ({ ...s, link: { ...s.link, alias: "mine" } })],
    ["alternative names coil.ip.fd02::5", (s) => ({ ...s, link: { ...s.link, altNames: s.link.altNames.slice(0, 2) } })],
    ["address fe80::1/128", (s) => ({ ...s, addresses: s.addresses.map((a) => ({ ...a, tentative: true })) })],
    [
      "neighbour 10.2.0.5",
      (s) => ({ ...s, neighbours: s.neighbours.map((n) => (n.address.family === "ipv4" ? { ...n, state: "stale" } : n)) }),
    ],
    [
      "neighbour fd02::5",
      (s) => ({
        ...s,
        neighbours: s.neighbours.map((n) => (n.address.family === "ipv6" ? { ...n, mac: "02:00:00:00:00:01" } : n)),
      }),
    ],
    [
      "route 10.2.0.5/32",
      (s) => ({ ...s, routes: s.routes.map((r, i) => (i === 0 ? { ...r, source: parseAddress("192.0.2.99") } : r)) }),
    ],
    ["route fd02::5/128", (s) => ({ ...s, routes: s.routes.map((r, i) => (i === 1 ? { ...r, index: 2 } : r)) })],
  ];
  fc.assert(
    fc.property(fc.subarray(damages), (chosen) => {
      const state = chosen.reduce((sum, [, damage]) => damage(sum), good);
      assert.deepStrictEqual(
        hostDrift(side, state).map(describeRepair),
        chosen.map(([name]) => name),
      );
    }),
  );
});

test("`hostDrift()` puts the group back with the alias: without it the link would not be known as ours", () => {
  const side = hostSideOf(ours, config);
  const state = perfect(side);
  assert.deepStrictEqual(hostDrift(side, { ...state, link: { ...state.link, group: 0 } }), [
    { kind: "mark", index: 9, alias: "COIL:default:c1:eth0", group: LINK_GROUP },
  ]);
});

test("`hostDrift()` keeps only the routes of a pod of the Go implementation, whatever their protocol and source", () => {
  const side = hostSideOf(foreign, config);
  const state = perfect(side);
  const rewritten = state.routes.map((route) => ({ ...route, protocol: 3, source: parseAddress("192.0.2.10") }));
  assert.deepStrictEqual(hostDrift(side, { ...state, routes: rewritten }), []);
  assert.deepStrictEqual(hostDrift(side, { ...state, routes: [] }).map(describeRepair), [
    "route 10.2.0.5/32",
    "route fd02::5/128",
  ]);
});
