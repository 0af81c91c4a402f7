import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress } from "../ip/address.ts";
import { parsePrefix, prefixFamily } from "../ip/prefix.ts";
import type { LinkState, RouteState } from "./host-state.ts";
import { DOOMED_LINK_GROUP, interfaceMacs, LINK_GROUP } from "./names.ts";
import { observePods } from "./observed-pods.ts";

function link(index: number, over: Partial<LinkState> = {}): LinkState {
  return { index, name: `veth${index}`, altNames: [], kind: "veth", mtu: 1500, up: true, loopback: false, group: 0, ...over };
}

function route(destination: string, index: number): RouteState {
  const prefix = parsePrefix(destination);
  return { family: prefixFamily(prefix), destination: prefix, table: 116, protocol: 30, index, metric: 0 };
}

test("`observePods()` reads our pods from their names, with the routing table empty too", () => {
  const names = ["coil.veth1.uid-1.net", "coil.ip.10.2.0.5", "coil.ip.fd02::5"];
  const links = [link(1, { alias: "COIL:default:c1:eth0", altNames: names, group: LINK_GROUP })];
  assert.deepStrictEqual(observePods(links, []), {
    pods: [
      {
        key: "c1:eth0",
        containerId: "c1",
        ifname: "eth0",
        pool: "default",
        ipv4: parseAddress("10.2.0.5"),
        ipv6: parseAddress("fd02::5"),
        podUid: "uid-1",
        network: "net",
        hostInterface: "veth1",
        index: 1,
        macs: interfaceMacs("c1:eth0"),
        origin: "ours",
      },
    ],
    unfinished: [],
  });
});

test("`observePods()` reads pods of the Go implementation from alias and routes", () => {
  const links = [link(7, { name: "veth9a8b7c6d", alias: "COIL:global:c2:eth0" })];
  const routes = [route("fd02::6/128", 7), route("10.2.0.6/32", 7), route("10.2.0.7/32", 8), route("10.9.0.0/16", 7)];
  assert.deepStrictEqual(observePods(links, routes).pods, [
    {
      key: "c2:eth0",
      containerId: "c2",
      ifname: "eth0",
      pool: "global",
      ipv4: parseAddress("10.2.0.6"),
      ipv6: parseAddress("fd02::6"),
      hostInterface: "veth9a8b7c6d",
      index: 7,
      macs: interfaceMacs("c2:eth0"),
      origin: "go",
    },
  ]);
});

test("`observePods()` tells half-made and doomed links of ours from those of others", () => {
  const half = link(1, { group: LINK_GROUP });
  const doomed = link(2, { group: DOOMED_LINK_GROUP, alias: "COIL:default:c1:eth0" });
  const others = [link(3), link(4, { alias: "uplink" }), link(5, { alias: "COIL::uid:eth0" })];
  assert.deepStrictEqual(observePods([half, doomed, ...others], []), { pods: [], unfinished: [half, doomed] });
});
