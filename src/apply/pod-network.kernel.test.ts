import assert from "node:assert/strict";
import { test } from "node:test";
import { attachmentOf, createPodHost } from "../../test/support/pod-host.ts";
import { parseAddress } from "../ip/address.ts";

const { signal } = new AbortController();

test("`setUp()` makes what `ip` shows of a dual-stack pod, on both sides", async () => {
  await using lab = await createPodHost();
  const network = lab.network();
  await network.initialise(signal);
  const pod = await lab.podNamespace();
  const made = await network.setUp(attachmentOf(5), { netns: pod.path, signal });
  assert.deepStrictEqual(made, {
    hostInterface: "veth0a339934",
    hostMac: "e6:15:95:f8:4c:28",
    podMac: "7e:f3:26:08:28:25",
    mtu: 1450,
  });
  const lines = (text: string) => text.split("\n").map((line) => line.trim());
  assert.deepStrictEqual(
    lines(await pod.ip("-oneline address show dev eth0")).map((line) =>
      line.replace(/.*(inet6? \S+ .*nodad|inet6? \S+).*/, "$1"),
    ),
    ["inet 10.2.0.5/32", "inet6 fd02::5/128 scope global nodad", "inet6 fe80::7cf3:26ff:fe08:2825/64 scope link nodad"],
  );
  assert.deepStrictEqual(lines(await pod.ip("route")), ["default via 169.254.1.1 dev eth0", "169.254.1.1 dev eth0 scope link"]);
  assert.match(await pod.ip("-6 route"), /^default via fe80::1 dev eth0 metric 1024 pref medium$/m);
  assert.deepStrictEqual(lines(await pod.ip("neighbour show nud permanent")), [
    `169.254.1.1 dev eth0 lladdr ${made.hostMac} PERMANENT`,
    `fe80::1 dev eth0 lladdr ${made.hostMac} PERMANENT`,
  ]);
  assert.match(await pod.ip("link show eth0"), new RegExp(`mtu 1450 .*\\n.*link/ether ${made.podMac}`));

  const dev = made.hostInterface;
  assert.deepStrictEqual(lines(await lab.host.ip("route show table 116")), [
    `10.2.0.5 dev ${dev} proto 30 scope link src 192.0.2.10`,
  ]);
  assert.deepStrictEqual(lines(await lab.host.ip("-6 route show table 116")), [
    `fd02::5 dev ${dev} proto 30 src 2001:db8::10 metric 1024 pref medium`,
  ]);
  assert.deepStrictEqual(lines(await lab.host.ip(`neighbour show dev ${dev} nud permanent`)), [
    `10.2.0.5 lladdr ${made.podMac} PERMANENT`,
    `fd02::5 lladdr ${made.podMac} PERMANENT`,
  ]);
  const link = `${await lab.host.ip(`link show dev ${dev}`)}\n${await lab.host.ip(`address show dev ${dev}`)}`;
  for (const expected of [
    /mtu 1450 .* group 1668245868/,
    /link\/ether e6:15:95:f8:4c:28/,
    /alias COIL:default:c5:eth0/,
    /altname coil\.veth0a339934\.uid-5\.k8s-pod-network/,
    /altname coil\.ip\.10\.2\.0\.5/,
    /altname coil\.ip\.fd02::5/,
    /inet6 fe80::1\/128 scope link nodad/,
  ]) {
    assert.match(link, expected);
  }
  assert.doesNotMatch(`${link}${await pod.ip("address")}`, /tentative|dadfailed/);
});

test("`setUp()` of a single-stack pod makes nothing of the other family", async () => {
  await using lab = await createPodHost();
  const network = lab.network();
  await network.initialise(signal);
  for (const [families, absent] of [
    ["ipv4", "-6"],
    ["ipv6", "-4"],
  ] as const) {
    const pod = await lab.podNamespace();
    const { hostInterface } = await network.setUp(attachmentOf(1, families), { netns: pod.path, signal });
    assert.equal(await pod.ip(`${absent} address show dev eth0`), "");
    assert.equal(await pod.ip(`${absent} route show dev eth0`), "");
    assert.equal(await lab.host.ip(`${absent} address show dev ${hostInterface}`), "");
    assert.equal(await lab.host.ip(`${absent} route show table 116`).catch(() => ""), "");
    assert.equal(await network.tearDown("c1:eth0", { signal }), "removed");
  }
});

test("the first packet is answered: pod to pod, pod to node, node to pod, pod to outside, in both families", async () => {
  await using lab = await createPodHost();
  const network = lab.network();
  await network.initialise(signal);
  await lab.outside.ip("route add 10.2.0.0/16 via 192.0.2.10");
  await lab.outside.ip("-6 route add fd02::/64 via 2001:db8::10");
  const [one, two] = [await lab.podNamespace(), await lab.podNamespace()];
  await network.setUp(attachmentOf(1), { netns: one.path, signal });
  await one.exec("ping", "-c1", "-W1", "192.0.2.10");
  await network.setUp(attachmentOf(2), { netns: two.path, signal });
  await one.exec("ping", "-c1", "-W1", "fd02::2");
  for (const target of ["10.2.0.2", "192.0.2.10", "2001:db8::10", "192.0.2.1", "2001:db8::1"]) {
    await one.exec("ping", "-c1", "-W1", target);
  }
  for (const target of ["10.2.0.1", "fd02::1"]) {
    await lab.host.exec("ping", "-c1", "-W1", target);
    await lab.outside.exec("ping", "-c1", "-W1", target);
  }
});

test("traffic from the node to its pods has the node's own address as source, whatever else the node has", async () => {
  await using lab = await createPodHost();
  await lab.host.ip("address add 192.0.2.9/32 dev eth0");
  const network = lab.network();
  await network.initialise(signal);
  const pod = await lab.podNamespace();
  await network.setUp(attachmentOf(1), { netns: pod.path, signal });
  assert.match(await lab.host.ip("route get 10.2.0.1"), /src 192\.0\.2\.10 /);
  assert.match(await lab.host.ip("-6 route get fd02::1"), /src 2001:db8::10 /);
});

test("a node without an address of a family still has pods of that family", async () => {
  await using lab = await createPodHost();
  const network = lab.network({}, { nodeAddresses: { ipv4: parseAddress("192.0.2.77") } });
  await network.initialise(signal);
  const pod = await lab.podNamespace();
  await network.setUp(attachmentOf(1), { netns: pod.path, signal });
  assert.match(await lab.host.ip("route show table 116"), /^10\.2\.0\.1 dev \S+ proto 30 scope link$/);
  assert.match(await lab.host.ip("-6 route show table 116"), /^fd02::1 dev \S+ proto 30 metric 1024 pref medium$/);
  for (const address of ["192.0.2.10", "2001:db8::10"]) await pod.exec("ping", "-c1", "-W1", address);
  assert.deepStrictEqual(network.problems(), [
    "the node has not got its own ipv4 address: pods may see another source address of it",
  ]);
});

test("`setNodeAddresses()` gives the routes of pods that are there the new source", async () => {
  await using lab = await createPodHost();
  const network = lab.network();
  await network.initialise(signal);
  const pod = await lab.podNamespace();
  await network.setUp(attachmentOf(1), { netns: pod.path, signal });
  await lab.host.ip("address add 192.0.2.11/24 dev eth0");
  await network.setNodeAddresses({ ipv4: parseAddress("192.0.2.11") });
  assert.match(await lab.host.ip("route show table 116"), /src 192\.0\.2\.11$/);
  assert.doesNotMatch(await lab.host.ip("-6 route show table 116"), /src/);
});

test("TCP runs between two pods in both families", async () => {
  await using lab = await createPodHost();
  const network = lab.network();
  await network.initialise(signal);
  const [one, two] = [await lab.podNamespace(), await lab.podNamespace()];
  await network.setUp(attachmentOf(1), { netns: one.path, signal });
  await network.setUp(attachmentOf(2), { netns: two.path, signal });
  const megabytes = 4;
  const server = `const s = require("net").createServer((c) => { let n = 0; c.on("data", (d) => (n += d.length)); c.on("end", () => { console.log(n); s.close(); }); }); s.listen(7000, "::")`;
  const client = (to: string) =>
    `const d = Buffer.alloc(1 << 20); const go = () => { const c = require("net").connect(7000, "${to}", () => { for (let i = 0; i < ${megabytes}; i++) c.write(d); c.end(); }); c.on("error", () => setTimeout(go, 20)); }; go()`;
  for (const address of ["10.2.0.2", "fd02::2"]) {
    const served = two.exec(process.execPath, "-e", server);
    await one.exec(process.execPath, "-e", client(address));
    assert.equal(await served, String(megabytes << 20));
  }
});
