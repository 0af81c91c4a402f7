import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createTestNamespace } from "../../../test/support/netns.ts";
import { addAltNames, deleteAltNames } from "./alt-names.ts";
import { deleteLink, deleteLinkGroup } from "./delete-link.ts";
import { newBridge, newVeth } from "./new-link.ts";
import type { OperState } from "./oper-state.ts";
import { setLink } from "./set-link.ts";
import { openRouteSocket } from "./socket.ts";

const MAC = "02:00:00:00:00:01";
const PEER_MAC = "02:00:00:00:00:02";

test("`newVeth()` makes both ends in their namespaces, with all that was asked for", async () => {
  await using host = await createTestNamespace();
  await using pod = await createTestNamespace();
  using socket = openRouteSocket(host.ns);
  await socket.batch([
    newVeth({
      name: "veth1",
      index: 77,
      mac: MAC,
      mtu: 1400,
      group: 5,
      peer: { name: "eth0", index: 99, namespace: pod.ns, mac: PEER_MAC, mtu: 1300, group: 6 },
    }),
  ]);
  assert.match(
    await host.ip("link show veth1"),
    /^77: veth1@if99: <BROADCAST,MULTICAST> mtu 1400 .* state DOWN .* group 5 .*\n +link\/ether 02:00:00:00:00:01 .* link-netnsid 0$/,
  );
  assert.match(
    await pod.ip("link show eth0"),
    /^99: eth0@if77: <BROADCAST,MULTICAST> mtu 1300 .* state DOWN .* group 6 .*\n +link\/ether 02:00:00:00:00:02 .* link-netnsid 0$/,
  );
});

test("`newVeth()` in one namespace, this end up from the start", async () => {
  await using space = await createTestNamespace();
  using socket = openRouteSocket(space.ns);
  await socket.batch([newVeth({ name: "a", up: true, peer: { name: "b" } })]);
  assert.match(await space.ip("-br link show"), /^b@a .* <BROADCAST,MULTICAST>\na@b .* <[^>]*\bUP\b[^>]*>$/m);
});

test("a veth whose name is taken on either side fails with EEXIST and leaves nothing", async () => {
  await using host = await createTestNamespace();
  await using pod = await createTestNamespace();
  await host.ip("link add taken type bridge");
  await pod.ip("link add taken type bridge");
  const before = [await host.ip("-br link show"), await pod.ip("-br link show")];
  using socket = openRouteSocket(host.ns);
  const results = await socket.tryBatch([
    newVeth({ name: "taken", peer: { name: "eth0", namespace: pod.ns } }),
    newVeth({ name: "free", peer: { name: "taken", namespace: pod.ns } }),
  ]);
  assert.deepStrictEqual(
    results.map((result) => result?.code),
    ["EEXIST", "EEXIST"],
  );
  assert.deepStrictEqual([await host.ip("-br link show"), await pod.ip("-br link show")], before);
});

test("`setLink()` changes what `ip` shows", async () => {
  await using space = await createTestNamespace();
  using socket = openRouteSocket(space.ns);
  await socket.batch([newBridge({ name: "br0", index: 70 }), newVeth({ name: "veth1", index: 71, peer: { name: "veth2" } })]);
  await socket.batch(
    setLink({
      index: 71,
      up: true,
      mtu: 1350,
      alias: "COIL:default:Contäiner:eth0",
      mac: MAC,
      group: 9,
      rename: "eth9",
      master: 70,
      addrGenMode: "none",
      ipv4Conf: { rpFilter: 2, proxyArp: 1, arpIgnore: 3 },
    }),
  );
  const shown = await space.ip("-d link show eth9");
  for (const part of [
    /^71: eth9@veth2: <[^>]*\bUP\b[^>]*> mtu 1350 .* master br0 .* group 9 /,
    /link\/ether 02:00:00:00:00:01 /,
    / addrgenmode none /,
    /\n +alias COIL:default:Contäiner:eth0$/m,
  ]) {
    assert.match(shown, part);
  }
  const settings = ["rp_filter", "proxy_arp", "arp_ignore", "forwarding"].map((name) => `/proc/sys/net/ipv4/conf/eth9/${name}`);
  const inherited = await space.exec("cat", "/proc/sys/net/ipv4/conf/default/forwarding");
  assert.equal(await space.exec("cat", ...settings), `2\n1\n3\n${inherited}`);
});

test("`setLink()` with `addrGenMode: none` keeps a link that comes up without an address", async () => {
  await using space = await createTestNamespace();
  using socket = openRouteSocket(space.ns);
  await socket.batch([
    newVeth({ name: "a", index: 70, peer: { name: "b", index: 71 } }),
    ...setLink({ index: 70, up: true, addrGenMode: "none" }),
    ...setLink({ index: 71, up: true, addrGenMode: "none" }),
  ]);
  assert.equal(await space.ip("-6 address show scope link"), "");
});

test("`setLink()` selects by name too, takes links down, off their bridge and away", async () => {
  await using space = await createTestNamespace();
  await using other = await createTestNamespace();
  await space.ip("link add br0 type bridge");
  await space.ip("link add veth1 master br0 type veth peer name veth2");
  await space.ip("link set veth1 up");
  using socket = openRouteSocket(space.ns);
  await socket.batch(setLink({ name: "veth1", up: false, master: 0, alias: "" }));
  assert.match(
    await space.ip("link show veth1"),
    /^[0-9]+: veth1@veth2: <BROADCAST,MULTICAST,M-DOWN> mtu 1500 qdisc \S+ state DOWN /,
  );
  await socket.batch(setLink({ name: "veth1", namespace: other.ns }));
  assert.match(await other.ip("-br link show veth1"), /^veth1@if/);
});

test("`deleteLink()` removes both ends at once, and is ENODEV the second time", async () => {
  await using host = await createTestNamespace();
  await using pod = await createTestNamespace();
  using socket = openRouteSocket(host.ns);
  await socket.batch([newVeth({ name: "veth1", index: 70, peer: { name: "eth0", namespace: pod.ns } })]);
  const results = await socket.tryBatch([deleteLink({ index: 70 }), deleteLink({ index: 70 }), deleteLink({ name: "veth1" })]);
  assert.deepStrictEqual(
    results.map((result) => result?.code),
    [undefined, "ENODEV", "ENODEV"],
  );
  assert.doesNotMatch(await pod.ip("-br link show"), /eth0/);
});

test("`deleteLinkGroup()` removes the links of the group and no others", async () => {
  await using space = await createTestNamespace();
  using socket = openRouteSocket(space.ns);
  await socket.batch([5, 5, 6, 0].map((group, i) => newVeth({ name: `veth${i}`, group, peer: { name: `peer${i}` } })));
  await socket.batch([deleteLinkGroup({ group: 5 })]);
  assert.deepStrictEqual((await socket.links()).map(({ name }) => name).sort(), ["lo", "peer2", "peer3", "veth2", "veth3"]);
  assert.deepStrictEqual(
    (await socket.links({ group: 6 })).map(({ name }) => name),
    ["veth2"],
  );
  const [again] = await socket.tryBatch([deleteLinkGroup({ group: 5 })]);
  assert.equal(again?.code, "ENODEV");
});

test("alternative names are added, found and deleted", async () => {
  await using space = await createTestNamespace();
  using socket = openRouteSocket(space.ns);
  const long = `coil.${"x".repeat(100)}`;
  await socket.batch([newBridge({ name: "br0", index: 70 }), addAltNames({ index: 70, names: [long, "coil.second"] })]);
  assert.match(await space.ip("link show br0"), new RegExp(`altname ${long}\n +altname coil.second$`));
  const link = await socket.link({ altName: long });
  assert.deepStrictEqual([link?.index, link?.altNames], [70, [long, "coil.second"]]);
  const [taken] = await socket.tryBatch([addAltNames({ index: 70, names: ["coil.second"] })]);
  assert.equal(taken?.code, "EEXIST");
  await socket.batch([deleteAltNames({ index: 70, names: [long] })]);
  assert.doesNotMatch(await space.ip("link show br0"), /xxx/);
  assert.deepStrictEqual((await socket.link({ index: 70 }))?.altNames, ["coil.second"]);
});

test("links that `ip` made are read as they are", async () => {
  await using space = await createTestNamespace();
  await using other = await createTestNamespace();
  await space.ip("link add br0 index 70 type bridge");
  await space.ip(
    `link add veth1 index 71 mtu 1400 address ${MAC} group 4 type veth peer name veth2 index 72 netns ${other.path}`,
  );
  await space.ip("link set veth1 master br0 alias some:alias addrgenmode none up");
  await space.ip("link property add dev veth1 altname other-name");
  await space.exec("sh", "-c", "echo 2 > /proc/sys/net/ipv4/conf/veth1/rp_filter");
  using socket = openRouteSocket(space.ns);
  // The kernel looks at the carrier a little later.
  const whenState = async (state: OperState) => {
    for (let waited = 0; waited < 5000; waited += 10) {
      const link = await socket.link({ name: "veth1" });
      if (link?.operState === state) return link;
      await sleep(10);
    }
    return assert.fail(`veth1 did not become ${state}: ${await space.ip("link show veth1")}`);
  };
  const link = await whenState("down");
  assert.deepStrictEqual(
    { ...link, ipv4Conf: link.ipv4Conf?.rpFilter },
    {
      index: 71,
      name: "veth1",
      altNames: ["other-name"],
      kind: "veth",
      alias: "some:alias",
      mac: MAC,
      mtu: 1400,
      up: true,
      running: false,
      operState: "down",
      loopback: false,
      group: 4,
      peerIndex: 72,
      peerNamespaceId: await socket.namespaceId(other.ns),
      master: 70,
      addrGenMode: "none",
      ipv4Conf: 2,
    },
  );
  await other.ip("link set veth2 up");
  await whenState("up");
  const links = await socket.links();
  assert.deepStrictEqual(
    links.map(({ name, up, operState, loopback, kind }) => ({ name, up, operState, loopback, kind })),
    [
      { name: "lo", up: true, operState: "unknown", loopback: true, kind: undefined },
      { name: "br0", up: false, operState: "down", loopback: false, kind: "bridge" },
      { name: "veth1", up: true, operState: "up", loopback: false, kind: "veth" },
    ],
  );
  assert.deepStrictEqual(
    (await socket.links({ kind: "veth" })).map(({ name }) => name),
    ["veth1"],
  );
  assert.deepStrictEqual(
    await socket.link({ index: 71 }),
    links.find(({ index }) => index === 71),
  );
});

test("a link that is not there is undefined, and so is the number of a namespace that no link names", async () => {
  await using space = await createTestNamespace();
  await using other = await createTestNamespace();
  using socket = openRouteSocket(space.ns);
  assert.equal(await socket.link({ index: 4711 }), undefined);
  assert.equal(await socket.link({ name: "absent" }), undefined);
  assert.equal(await socket.link({ altName: "absent" }), undefined);
  assert.equal(await socket.namespaceId(other.ns), undefined);
});
