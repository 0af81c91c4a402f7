import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestNamespace, type TestNamespace } from "../../../test/support/netns.ts";
import { formatAddress, parseAddress } from "../../ip/address.ts";
import { formatPrefix, parsePrefix } from "../../ip/prefix.ts";
import { addRoute, deleteRoute, replaceRoute } from "./change-route.ts";
import type { Route } from "./route.ts";
import { openRouteSocket } from "./socket.ts";

/** A namespace with the pair `left` (70) and `right` (71), and addresses on `left`. */
async function namespaceWithPair(): Promise<TestNamespace> {
  const space = await createTestNamespace();
  await space.ip("link add left index 70 type veth peer name right index 71");
  await space.ip("link set left up addrgenmode none");
  await space.ip("link set right up addrgenmode none");
  await space.ip("address add 10.1.0.1/24 dev left");
  await space.ip("address add fd01::1/64 dev left nodad");
  return space;
}

test("routes are added as `ip` shows them", async () => {
  await using space = await namespaceWithPair();
  using socket = openRouteSocket(space.ns);
  const common = { table: 116, protocol: 30 };
  await socket.batch([
    addRoute({ ...common, family: "ipv4", destination: parsePrefix("10.2.0.5/32"), index: 70, source: parseAddress("10.1.0.1") }),
    addRoute({ ...common, family: "ipv4", destination: parsePrefix("10.3.0.0/24"), index: 1, scope: "universe" }),
    addRoute({
      ...common,
      family: "ipv4",
      destination: parsePrefix("10.4.0.0/24"),
      gateway: parseAddress("10.1.0.9"),
      metric: 7,
      mtu: 1400,
    }),
    addRoute({ ...common, family: "ipv4", gateway: parseAddress("169.254.1.1"), index: 70, onLink: true }),
    addRoute({ ...common, family: "ipv4", destination: parsePrefix("10.5.0.0/24"), gateway: parseAddress("fd01::9"), index: 70 }),
    addRoute({ ...common, family: "ipv4", destination: parsePrefix("10.6.0.0/24"), type: "blackhole" }),
    addRoute({ ...common, family: "ipv4", destination: parsePrefix("10.7.0.0/24"), type: "unreachable" }),
    addRoute({ family: "ipv4", destination: parsePrefix("10.8.0.0/24"), table: 1160, protocol: 31, index: 70 }),
    addRoute({ ...common, family: "ipv6", destination: parsePrefix("fd02::5/128"), index: 70, source: parseAddress("fd01::1") }),
    addRoute({ ...common, family: "ipv6", gateway: parseAddress("fe80::1"), index: 70, mtu: 1300 }),
    addRoute({ ...common, family: "ipv6", destination: parsePrefix("fd03::/64"), type: "blackhole", metric: 5 }),
    addRoute({ family: "ipv6", destination: parsePrefix("fd04::/64"), table: 1160, protocol: 31, index: 70 }),
  ]);
  assert.deepStrictEqual((await space.ip("route show table 116")).split("\n"), [
    "default via 169.254.1.1 dev left proto 30 onlink",
    "10.2.0.5 dev left proto 30 scope link src 10.1.0.1",
    "10.3.0.0/24 dev lo proto 30",
    "10.4.0.0/24 via 10.1.0.9 dev left proto 30 metric 7 mtu 1400",
    "10.5.0.0/24 via inet6 fd01::9 dev left proto 30",
    "blackhole 10.6.0.0/24 proto 30",
    "unreachable 10.7.0.0/24 proto 30",
  ]);
  assert.deepStrictEqual((await space.ip("-6 route show table 116")).split("\n"), [
    "fd02::5 dev left proto 30 src fd01::1 metric 1024 pref medium",
    "blackhole fd03::/64 dev lo proto 30 metric 5 pref medium",
    "default via fe80::1 dev left proto 30 metric 1024 mtu 1300 pref medium",
  ]);
  assert.equal(await space.ip("route show table 1160"), "10.8.0.0/24 dev left proto 31 scope link");
  assert.equal(await space.ip("-6 route show table 1160"), "fd04::/64 dev left proto 31 metric 1024 pref medium");
});

test("a route that is there is EEXIST, replaced when that was asked for, and ESRCH when it is gone", async () => {
  await using space = await namespaceWithPair();
  using socket = openRouteSocket(space.ns);
  for (const destination of [parsePrefix("10.2.0.0/24"), parsePrefix("fd02::/64")]) {
    const route = { family: destination.address.family, destination, table: 116, protocol: 30, index: 70 };
    const results = await socket.tryBatch([
      addRoute(route),
      addRoute(route),
      replaceRoute({ ...route, protocol: 31 }),
      replaceRoute({ ...route, destination: { ...destination, length: destination.length + 4 } }),
      deleteRoute({ ...route, protocol: 30 }),
      deleteRoute({ ...route, protocol: 31 }),
      deleteRoute(route),
      deleteRoute({ family: route.family, destination: { ...destination, length: destination.length + 4 }, table: 116 }),
    ]);
    assert.deepStrictEqual(
      results.map((result) => result?.code),
      [undefined, "EEXIST", undefined, undefined, "ESRCH", undefined, "ESRCH", undefined],
      formatPrefix(destination),
    );
    assert.deepStrictEqual(await socket.routes({ family: route.family, table: 116 }), []);
  }
});

test("routes that `ip` added are read as they are", async () => {
  await using space = await namespaceWithPair();
  await space.ip("route add 10.2.0.5/32 dev left table 116 proto 30 src 10.1.0.1");
  await space.ip("route add default via 169.254.1.1 dev left table 116 onlink mtu 1400 metric 5");
  await space.ip("route add 10.5.0.0/24 via inet6 fd01::9 dev left table 1160 proto static");
  await space.ip("route add unreachable 10.6.0.0/24 table 116");
  await space.ip("route add 10.7.0.0/24 table 116 nexthop via 10.1.0.8 weight 3 nexthop via 10.1.0.9");
  await space.ip("-6 route add fd02::/64 via fd01::9 table 116 proto 30");
  await space.ip("-6 route add fd03::/64 table 116 nexthop via fd01::8 dev left nexthop via fd01::9 dev left weight 2");
  using socket = openRouteSocket(space.ns);
  assert.deepStrictEqual((await socket.routes({ family: "ipv4", table: 116 })).map(brief), [
    "0.0.0.0/0 table 116 protocol 3 universe unicast index 70 via 169.254.1.1 onLink metric 5 mtu 1400",
    "10.2.0.5/32 table 116 protocol 30 link unicast index 70 source 10.1.0.1 metric 0",
    "10.6.0.0/24 table 116 protocol 3 universe unreachable metric 0",
    "10.7.0.0/24 table 116 protocol 3 universe unicast metric 0 hops 70 10.1.0.8 3, 70 10.1.0.9 1",
  ]);
  assert.deepStrictEqual((await socket.routes({ family: "ipv4", table: 1160 })).map(brief), [
    "10.5.0.0/24 table 1160 protocol 4 universe unicast index 70 via fd01::9 metric 0",
  ]);
  assert.deepStrictEqual((await socket.routes({ family: "ipv6", table: 116 })).map(brief), [
    "fd02::/64 table 116 protocol 30 universe unicast index 70 via fd01::9 metric 1024",
    "fd03::/64 table 116 protocol 3 universe unicast metric 1024 hops 70 fd01::8 1, 70 fd01::9 2",
  ]);
});

test("the kernel filters routes by table, protocol and link", async () => {
  await using space = await namespaceWithPair();
  await space.ip("route add 10.2.0.1/32 dev left table 116 proto 30");
  await space.ip("route add 10.2.0.2/32 dev right table 116 proto 30");
  await space.ip("route add 10.2.0.3/32 dev left table 116 proto 31");
  await space.ip("route add 10.2.0.4/32 dev left table 119 proto 30");
  await space.ip("-6 route add fd02::1/128 dev left table 116 proto 30");
  await space.ip("-6 route add fd02::2/128 dev right table 116 proto 31");
  using socket = openRouteSocket(space.ns);
  const found = async (filter: Parameters<typeof socket.routes>[0]) =>
    (await socket.routes(filter)).map(({ destination }) => formatAddress(destination.address));
  assert.deepStrictEqual(await found({ family: "ipv4", table: 116 }), ["10.2.0.1", "10.2.0.2", "10.2.0.3"]);
  assert.deepStrictEqual(await found({ family: "ipv4", table: 116, protocol: 30 }), ["10.2.0.1", "10.2.0.2"]);
  assert.deepStrictEqual(await found({ family: "ipv4", table: 116, protocol: 30, index: 71 }), ["10.2.0.2"]);
  assert.deepStrictEqual(await found({ family: "ipv4", protocol: 30, index: 70 }), ["10.2.0.1", "10.2.0.4"]);
  assert.deepStrictEqual(await found({ family: "ipv6", table: 116, protocol: 31 }), ["fd02::2"]);
  assert.deepStrictEqual(await found({ family: "ipv6", table: 116, index: 70 }), ["fd02::1"]);
  assert.deepStrictEqual(await found({ family: "ipv4", table: 4711 }), []);
  assert.deepStrictEqual(await found({ family: "ipv6", table: 4711 }), []);
  assert.deepStrictEqual(await found({ family: "ipv4", table: 116, index: 4711 }), []);
});

test("thousands of routes are added in one call and read in one", async () => {
  await using space = await namespaceWithPair();
  using socket = openRouteSocket(space.ns);
  const destinations = Array.from({ length: 2000 }, (_, i) => parsePrefix(`10.${64 + (i >> 8)}.${i & 255}.0/24`));
  await socket.batch(
    destinations.map((destination) => addRoute({ family: "ipv4", destination, table: 119, protocol: 30, index: 1 })),
  );
  const routes = await socket.routes({ family: "ipv4", table: 119, protocol: 30 });
  assert.deepStrictEqual(
    routes.map(({ destination }) => destination),
    destinations,
  );
});

test("`routeTo()` tells which way a packet would go, as `ip route get` does", async () => {
  await using space = await namespaceWithPair();
  await space.ip("rule add pref 2000 lookup 116");
  await space.ip("route add 10.2.0.0/24 via 10.1.0.9 table 116 proto 30 mtu 1300");
  await space.ip("-6 rule add pref 2000 lookup 116");
  await space.ip("-6 route add fd02::/64 via fd01::9 table 116 proto 30");
  await space.ip("-6 route add unreachable fd03::/64");
  using socket = openRouteSocket(space.ns);
  assert.match(await space.ip("route get 10.2.0.5"), /^10\.2\.0\.5 via 10\.1\.0\.9 dev left table 116 src 10\.1\.0\.1 /);
  const ipv4 = await socket.routeTo(parseAddress("10.2.0.5"));
  assert.equal(
    ipv4 && brief(ipv4),
    "10.2.0.5/32 table 116 protocol 0 universe unicast index 70 via 10.1.0.9 source 10.1.0.1 metric 0 mtu 1300",
  );
  const ipv6 = await socket.routeTo(parseAddress("fd02::5"));
  assert.equal(
    ipv6 && brief(ipv6),
    "fd02::5/128 table 116 protocol 30 universe unicast index 70 via fd01::9 source fd01::1 metric 1024",
  );
  assert.equal(await socket.routeTo(parseAddress("192.0.0.10")), undefined);
  assert.equal(await socket.routeTo(parseAddress("2001:1::2")), undefined);
  assert.equal(await socket.routeTo(parseAddress("fd03::1")), undefined);
});

function brief(route: Route): string {
  const { destination, table, protocol, scope, type, index, gateway, onLink, source, metric, mtu, nextHops } = route;
  return [
    `${formatPrefix(destination)} table ${table} protocol ${protocol} ${scope} ${type}`,
    index === undefined ? "" : `index ${index}`,
    gateway ? `via ${formatAddress(gateway)}` : "",
    onLink ? "onLink" : "",
    source ? `source ${formatAddress(source)}` : "",
    `metric ${metric}`,
    mtu === undefined ? "" : `mtu ${mtu}`,
    nextHops
      ? `hops ${nextHops.map((hop) => `${hop.index} ${hop.gateway && formatAddress(hop.gateway)} ${hop.weight}`).join(", ")}`
      : "",
  ]
    .filter((part) => part !== "")
    .join(" ");
}
