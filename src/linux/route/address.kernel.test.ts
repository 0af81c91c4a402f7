import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestNamespace, type TestNamespace } from "../../../test/support/netns.ts";
import { formatAddress, parseAddress } from "../../ip/address.ts";
import type { LinkAddress } from "./address.ts";
import { addAddress, deleteAddress } from "./change-address.ts";
import { openRouteSocket } from "./socket.ts";

/** A namespace with the pair `left` (70) and `right` (71). */
async function namespaceWithPair(): Promise<TestNamespace> {
  const space = await createTestNamespace();
  await space.ip("link add left index 70 type veth peer name right index 71");
  await space.ip("link set left up addrgenmode none");
  await space.ip("link set right up addrgenmode none");
  return space;
}

/** The lines of `ip -o address` from the address on, without lifetimes. */
async function shown(space: TestNamespace, link: string): Promise<string[]> {
  const text = await space.ip(`-o address show ${link}`);
  return text.split("\n").map((line) => line.replace(/^[0-9]+: \S+ +/, "").replace(/ *\\ .*$/, ""));
}

test("addresses are added as `ip` shows them", async () => {
  await using space = await namespaceWithPair();
  using socket = openRouteSocket(space.ns);
  await socket.batch([
    addAddress({ index: 70, address: parseAddress("10.2.0.1"), length: 32 }),
    addAddress({ index: 70, address: parseAddress("169.254.1.1"), length: 16, scope: "link", noPrefixRoute: true }),
    addAddress({ index: 70, address: parseAddress("fd02::1"), length: 128, noDad: true }),
    addAddress({ index: 70, address: parseAddress("fe80::1"), length: 64, scope: "link", noDad: true }),
  ]);
  assert.deepStrictEqual(await shown(space, "left"), [
    "inet 169.254.1.1/16 scope link noprefixroute left",
    "inet 10.2.0.1/32 scope global left",
    "inet6 fd02::1/128 scope global nodad",
    "inet6 fe80::1/64 scope link nodad",
  ]);
});

test("an address that is there is EEXIST, or replaced when that was asked for", async () => {
  await using space = await namespaceWithPair();
  using socket = openRouteSocket(space.ns);
  const addresses = ["10.2.0.1", "fd02::1"].map((text) => parseAddress(text));
  for (const address of addresses) {
    const length = address.family === "ipv4" ? 24 : 64;
    const results = await socket.tryBatch([
      addAddress({ index: 70, address, length, noDad: true }),
      addAddress({ index: 70, address, length, noDad: true }),
      addAddress({ index: 70, address, length, noDad: true, replace: true }),
    ]);
    assert.deepStrictEqual(
      results.map((result) => result?.code),
      [undefined, "EEXIST", undefined],
    );
  }
});

test("addresses are deleted, and EADDRNOTAVAIL when they are not there", async () => {
  await using space = await namespaceWithPair();
  await space.ip("address add 10.2.0.1/24 dev left");
  await space.ip("address add fd02::1/64 dev left nodad");
  using socket = openRouteSocket(space.ns);
  const requests = [
    deleteAddress({ index: 70, address: parseAddress("10.2.0.1"), length: 24 }),
    deleteAddress({ index: 70, address: parseAddress("fd02::1"), length: 64 }),
  ];
  const results = await socket.tryBatch([...requests, ...requests]);
  assert.deepStrictEqual(
    results.map((result) => result?.code),
    [undefined, undefined, "EADDRNOTAVAIL", "EADDRNOTAVAIL"],
  );
  assert.doesNotMatch(await space.ip("address show left"), /inet/);
});

test("addresses that `ip` added are read as they are, and filtered by link and family", async () => {
  await using space = await namespaceWithPair();
  await space.ip("address add 10.2.0.1/24 dev left");
  await space.ip("address add 10.9.0.1 peer 10.9.0.2/32 dev left scope link");
  await space.ip("address add fd02::1/64 dev left nodad noprefixroute");
  await space.ip("address add fd02::2/64 dev left nodad preferred_lft 0 valid_lft 1000");
  await space.ip("address add 10.3.0.1/32 dev right scope host");
  await space.ip("address add fd03::1/64 dev right");
  using socket = openRouteSocket(space.ns);
  const brief = (list: LinkAddress[]) =>
    list.map(({ index, address, length, peer, scope, ...flags }) =>
      [
        `${index} ${formatAddress(address)}/${length} ${scope}`,
        ...(peer ? [`peer ${formatAddress(peer)}`] : []),
        ...Object.entries(flags).flatMap(([name, set]) => (set ? [name] : [])),
      ].join(" "),
    );
  const a4 = ["70 10.9.0.1/32 link peer 10.9.0.2 permanent", "70 10.2.0.1/24 global permanent"];
  const a6 = ["70 fd02::1/64 global noDad noPrefixRoute permanent", "70 fd02::2/64 global noDad deprecated"];
  assert.deepStrictEqual(brief(await socket.addresses({ index: 70 })).sort(), [...a4, ...a6].sort());
  assert.deepStrictEqual(brief(await socket.addresses({ index: 70, family: "ipv4" })).sort(), [...a4].sort());
  assert.deepStrictEqual(brief(await socket.addresses({ index: 70, family: "ipv6" })).sort(), [...a6].sort());
  assert.deepStrictEqual(brief(await socket.addresses({ index: 71 })), [
    "71 10.3.0.1/32 host permanent",
    // Nothing was said against duplicate address detection, so it is under way.
    "71 fd03::1/64 global tentative permanent",
  ]);
  assert.equal((await socket.addresses()).length, 8);
  assert.equal((await socket.addresses({ family: "ipv6" })).length, 4);
  assert.deepStrictEqual(await socket.addresses({ index: 4711 }), []);
});
