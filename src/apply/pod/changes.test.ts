import assert from "node:assert/strict";
import { test } from "node:test";
import { type Address, addressEquals, parseAddress } from "../../ip/address.ts";
import { parsePrefix } from "../../ip/prefix.ts";
import type { RouteEvent } from "../../linux/route/event.ts";
import { interfaceMacs, LINK_GROUP } from "../../podnet/names.ts";
import type { KnownPod } from "../../podnet/observed-pods.ts";
import { type Concerned, meaningOf } from "./changes.ts";

const pod: KnownPod = {
  key: "c1:eth0",
  containerId: "c1",
  ifname: "eth0",
  pool: "default",
  ipv4: parseAddress("10.2.0.1"),
  podUid: "uid",
  network: "net",
  hostInterface: "veth1",
  index: 9,
  macs: interfaceMacs("c1:eth0"),
  origin: "ours",
};
const go: KnownPod = { ...pod, key: "go:eth0", containerId: "go", ipv4: parseAddress("10.2.0.2"), index: 10, origin: "go" };
const node = parseAddress("192.0.2.10");
const byAddress = (address: Address) => [pod, go].find(({ ipv4 }) => ipv4 && addressEquals(ipv4, address));
const concerned: Concerned = {
  podTable: 116,
  rulePriority: 2000,
  podByLink: (index) => [pod, go].find((known) => known.index === index),
  podByAddress: byAddress,
  isNodeAddress: (address) => addressEquals(address, node),
  sourceOf: (family) => (family === "ipv4" ? node : undefined),
};

type Of<Kind extends RouteEvent["kind"]> = Extract<RouteEvent, { kind: Kind; value: unknown }>["value"];

const link: Of<"link"> = {
  index: 9,
  name: "veth1",
  altNames: ["coil.veth1.uid.net", "coil.ip.10.2.0.1"],
  alias: "COIL:default:c1:eth0",
  mtu: 1500,
  up: true,
  running: true,
  operState: "up",
  loopback: false,
  group: LINK_GROUP,
};
const route: Of<"route"> = {
  family: "ipv4",
  destination: parsePrefix("10.2.0.1/32"),
  table: 116,
  protocol: 30,
  scope: "link",
  type: "unicast",
  index: 9,
  onLink: false,
  source: node,
  metric: 0,
};
const neighbour: Of<"neighbour"> = {
  index: 9,
  address: parseAddress("10.2.0.1"),
  mac: pod.macs.pod,
  state: "permanent",
  proxy: false,
};
const address: Of<"address"> = {
  index: 9,
  address: parseAddress("fe80::1"),
  length: 128,
  scope: "link",
  tentative: false,
  dadFailed: false,
  noDad: true,
  noPrefixRoute: false,
  deprecated: false,
  permanent: true,
};

function of(kind: "link" | "route" | "neighbour" | "address", change: "new" | "deleted", value: object): string {
  const meaning = meaningOf({ kind, change, value } as RouteEvent, concerned);
  return Object.values(meaning).join(" ");
}

test("what a set-up itself brings about means nothing", () => {
  assert.equal(of("link", "new", { ...link, index: 77, altNames: [], alias: undefined }), "nothing");
  assert.equal(of("link", "new", link), "pod-link c1:eth0 false");
  assert.equal(of("route", "new", route), "nothing");
  assert.equal(of("neighbour", "new", neighbour), "nothing");
  assert.equal(of("address", "new", address), "nothing");
});

test("whatever a pod's host side loses, or gets in its place, means that pod", () => {
  for (const damaged of [{ up: false }, { alias: "mine" }, { group: 0 }, { altNames: ["coil.veth1.uid.net"] }]) {
    assert.equal(of("link", "new", { ...link, ...damaged }), "pod-link c1:eth0 true", JSON.stringify(damaged));
  }
  assert.equal(of("route", "deleted", route), "pod c1:eth0");
  for (const altered of [{ index: 2 }, { source: undefined }, { source: parseAddress("192.0.2.99") }]) {
    assert.equal(of("route", "new", { ...route, ...altered }), "pod c1:eth0");
  }
  assert.equal(of("neighbour", "deleted", neighbour), "pod c1:eth0");
  assert.equal(of("neighbour", "new", { ...neighbour, mac: "02:00:00:00:00:01" }), "pod c1:eth0");
  assert.equal(of("neighbour", "new", { ...neighbour, state: "failed" }), "pod c1:eth0");
  assert.equal(of("address", "deleted", address), "pod c1:eth0");
  assert.equal(of("link", "deleted", link), "link-gone 9");
});

test("of a pod of the Go implementation only routes and the link count", () => {
  const destination = parsePrefix("10.2.0.2/32");
  assert.equal(of("link", "new", { ...link, index: 10, group: 0, altNames: [] }), "pod-link go:eth0 false");
  assert.equal(of("route", "new", { ...route, destination, index: 10, source: undefined }), "nothing");
  assert.equal(of("route", "deleted", { ...route, destination, index: 10 }), "pod go:eth0");
  assert.equal(of("neighbour", "deleted", { ...neighbour, index: 10, address: parseAddress("10.2.0.2") }), "nothing");
});

test("changes of the node mean a new look at its addresses, its MTU or its rules; everything else means nothing", () => {
  assert.equal(of("address", "deleted", { ...address, index: 2, address: node }), "sources");
  assert.equal(of("address", "new", { ...address, index: 2 }), "nothing");
  assert.equal(of("link", "new", { ...link, index: 2, alias: undefined, group: 0 }), "mtu");
  assert.equal(of("route", "new", { ...route, table: 254, destination: parsePrefix("0.0.0.0/0") }), "mtu");
  assert.equal(of("route", "deleted", { ...route, table: 254 }), "nothing");
  assert.equal(of("route", "deleted", { ...route, destination: parsePrefix("10.9.0.0/16") }), "nothing");
  assert.equal(of("neighbour", "new", { ...neighbour, address: parseAddress("fe80::5"), state: "stale" }), "nothing");
  assert.deepStrictEqual(meaningOf({ kind: "overrun" }, concerned), { kind: "everything" });
});
