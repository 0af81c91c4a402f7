import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { blockRequests } from "../../src/crd/resources.ts";
import { nodes, pods } from "../../src/kube/resources.ts";
import { formatIntent, intentDirectory, intentFileName } from "../../src/rpc/intent.ts";
import { type CoilNode, startCoilNode, type TestPod } from "../support/coil-node.ts";
import { eventually } from "../support/eventually.ts";
import { startIpamCluster } from "../support/ipam-cluster.ts";

const resources = new AsyncDisposableStack();
after(() => resources.disposeAsync());
const cluster = resources.use(await startIpamCluster());
resources.use(await cluster.startController());
const signal = new AbortController().signal;
await cluster.addPool("default", { blockSizeBits: 5, subnets: [{ ipv4: "10.2.0.0/20" }] });

async function add(node: CoilNode, pod: TestPod): Promise<string> {
  const { body } = await node.call("add", pod);
  assert.ok(body.result, JSON.stringify(body));
  return body.result.ips[0]?.address ?? "";
}

const blocksOf = async (name: string) =>
  (await cluster.blocks()).filter(({ metadata }) => metadata.labels?.["coil.cybozu.com/node"] === name);
const table = (node: CoilNode, id: number) => node.host.ip(`route show table ${id}`).catch(() => "");

test("a restart keeps pods, addresses and routes, and gives no address again that was freed before it", async () => {
  await using node = await startCoilNode(cluster, "r-keep", { process: true });
  const [one, two, three] = [await node.addPod("one"), await node.addPod("two"), await node.addPod("three")];
  const first = await add(node, one);
  await add(node, two);
  const freed = await add(node, three);
  await node.call("del", three);
  const before = await table(node, 119);
  await node.kill();
  assert.equal(await table(node, 119), before);
  const routes: string[] = [];
  await node.start({}, { wait: false });
  await eventually("ready", 20_000, async () => {
    routes.push(await table(node, 119));
    return (await node.readiness().catch(() => 0)) === 200;
  });
  assert.deepEqual(new Set(routes), new Set([before]), "no route flaps");
  assert.equal(await add(node, one), first, "an ADD that is repeated gives what there is");
  const later = [];
  for (let i = 0; i < 29; i++) later.push(await add(node, await node.addPod(`later-${i}`)));
  assert.ok(!later.includes(freed), `${freed} was given again at once`);
  assert.equal(new Set([...later, first]).size, 30);
});

test("T30: a DEL while coild is down is carried out by the next one; an ADD makes it void", async () => {
  await using node = await startCoilNode(cluster, "r-intent");
  const [gone, again] = [await node.addPod("gone"), await node.addPod("again")];
  await add(node, gone);
  await add(node, again);
  await node.stop();
  const folder = intentDirectory(node.socket);
  await mkdir(folder, { recursive: true });
  const leave = async ({ containerId }: TestPod) => {
    const attachment = { containerId, ifname: "eth0" };
    const intent = { ...attachment, args: {}, network: "k8s-pod-network", at: new Date().toISOString() };
    await writeFile(join(folder, intentFileName(attachment)), formatIntent(intent));
  };
  await leave(gone);
  await writeFile(join(folder, "broken:eth0.json"), "{");
  await node.start();
  const keys = async () => (await node.state()).attachments.map(({ key }) => key);
  assert.deepEqual(await keys(), [`${again.containerId}:eth0`]);
  await leave(again);
  await eventually("the intent is carried out", 3_000, async () => (await keys()).length === 0);
  await add(node, again);
  await sleep(500);
  assert.deepEqual(await keys(), [`${again.containerId}:eth0`]);
});

test("T4: after a reboot without pods the blocks of the node are given back, of pools that nobody asks for, too", async () => {
  await using node = await startCoilNode(cluster, "r-reboot");
  const pod = await node.addPod("reboot");
  await add(node, pod);
  await node.stop();
  await node.host.ip("link delete group 1668245868");
  await node.host.ip("route flush table 116").catch(() => "");
  await node.start();
  assert.deepEqual((await node.state()).attachments, []);
  await eventually("no block", 8_000, async () => (await blocksOf("r-reboot")).length === 0);
  assert.equal(await table(node, 119), "");
});

test("routes that were flushed while coild was down are back before it is ready", async () => {
  await using node = await startCoilNode(cluster, "r-flush");
  await add(node, await node.addPod("flush"));
  const before = [await table(node, 116), await table(node, 119)];
  await node.stop();
  await node.host.ip("route flush table 116");
  await node.host.ip("route flush table 119");
  await node.start();
  assert.deepEqual([await table(node, 116), await table(node, 119)], before);
});

test("killed in the middle of many ADDs: nothing is given twice, and what nobody got is free again", async () => {
  await using node = await startCoilNode(cluster, "r-kill", { process: true });
  const all = await Promise.all(Array.from({ length: 40 }, (_, i) => node.addPod(`kill-${i}`)));
  const addresses = new Map<string, string>();
  for (const delay of [5, 15, 30]) {
    const calls = all.map((pod) => node.call("add", pod).catch(() => undefined));
    await sleep(delay);
    await node.kill();
    for (const [i, answer] of (await Promise.all(calls)).entries()) {
      const address = answer?.body.result?.ips[0]?.address;
      const known = addresses.get(all[i]!.containerId);
      if (address && known) assert.equal(address, known, "an ADD that is repeated");
      if (address) addresses.set(all[i]!.containerId, address);
    }
    await node.start();
  }
  const final = await Promise.all(all.map((pod) => add(node, pod)));
  assert.equal(new Set(final).size, 40);
  for (const [i, pod] of all.entries()) assert.equal(addresses.get(pod.containerId) ?? final[i], final[i]);
  assert.equal((await table(node, 116)).split("\n").length, 40);
  await Promise.all(all.map((pod) => node.call("del", pod)));
  assert.deepEqual((await node.state()).attachments, []);
  assert.equal(await table(node, 116), "");
});

test("a pod whose namespace vanishes without a DEL gives its address back", async () => {
  await using node = await startCoilNode(cluster, "r-vanish");
  const pod = await node.addPod("vanish");
  await add(node, pod);
  pod.space[Symbol.dispose]();
  await eventually("free", 3_000, async () => (await node.state()).attachments.length === 0);
  assert.equal(await table(node, 116), "");
});

test("T16, T32: an attachment whose pod is gone is removed within one interval, and at once at start", async () => {
  await using node = await startCoilNode(cluster, "r-orphan", { flags: { "addressblock-gc-interval": 500 } });
  const [stays, gone] = [await node.addPod("stays"), await node.addPod("gone-too")];
  await add(node, stays);
  await add(node, gone);
  await cluster.client.delete(pods, gone, { signal, gracePeriodSeconds: 0 });
  const keys = async () => (await node.state()).attachments.map(({ key }) => key);
  await eventually("removed", 12_000, async () => (await keys()).length === 1);
  assert.deepEqual(await keys(), [`${stays.containerId}:eth0`]);

  const second = { ...stays, containerId: "a-newer-sandbox", space: (await node.addPod("unused")).space };
  await add(node, second);
  await eventually("the older sandbox is removed", 12_000, async () => (await keys()).length === 1);
  assert.deepEqual(await keys(), ["a-newer-sandbox:eth0"]);
});

test("an orphan in whose namespace a process is stays", async () => {
  await using node = await startCoilNode(cluster, "r-alive", { flags: { "addressblock-gc-interval": 300 } });
  const pod = await node.addPod("alive");
  await add(node, pod);
  const process = pod.space.exec("sleep", "3");
  await sleep(200);
  await cluster.client.delete(pods, pod, { signal, gracePeriodSeconds: 0 });
  await sleep(1_500);
  assert.equal((await node.state()).attachments.length, 1);
  await process;
  await eventually("removed", 12_000, async () => (await node.state()).attachments.length === 0);
});

test("T33: when its Node object is deleted the node withdraws its routes within a second, and refuses ADDs", async () => {
  await using node = await startCoilNode(cluster, "r-node");
  await add(node, await node.addPod("node"));
  assert.notEqual(await table(node, 119), "");
  await cluster.client.delete(nodes, { name: "r-node" }, { signal });
  await eventually("no route", 1_000, async () => (await table(node, 119)) === "");
  const refused = await node.call("add", { ...(await node.addPod("late")) });
  assert.deepEqual([refused.status, refused.body.code], [503, 11]);
  const { body } = await node.call("status", undefined);
  assert.deepEqual(body, { ready: false, reason: "node: there is no Node object r-node" });
});

test("a change of the node's address reaches the routes of its pods", async () => {
  await using node = await startCoilNode(cluster, "r-address");
  await add(node, await node.addPod("address"));
  await node.host.ip("address add 192.0.2.20/24 dev eth0");
  const made = await cluster.client.get(nodes, { name: "r-address" }, { signal });
  const status = { addresses: [{ type: "InternalIP", address: "192.0.2.20" }] };
  await cluster.client.updateStatus(nodes, { ...made!, status }, { signal });
  await eventually("the new source", 2_000, async () => / src 192\.0\.2\.20/.test(await table(node, 116)));
});

test("a pod that Coil's Go implementation set up is taken over: its address is not given again, and DEL works", async () => {
  await using node = await startCoilNode(cluster, "r-go");
  const other = await node.addPod("first");
  assert.equal(await add(node, other), await add(node, other));
  const [block] = await blocksOf("r-go");
  const base = (block?.ipv4 ?? "").replace(/\.([0-9]+)\/27$/, (_, last) => `.${Number(last) + 1}`);
  await node.stop();
  const pod = await node.addPod("go");
  await node.host.ip(`link add vethgo type veth peer name eth0 netns ${pod.space.path}`);
  await node.host.ip(`link set vethgo alias COIL:default:${pod.containerId}:eth0 up`);
  await node.host.ip(`route add ${base}/32 dev vethgo scope link proto 30 table 116`);
  await node.start();
  const given = await Promise.all(Array.from({ length: 20 }, async (_, i) => add(node, await node.addPod(`go-${i}`))));
  assert.ok(!given.includes(`${base}/32`));
  assert.deepEqual((await node.call("del", pod)).body, {});
  assert.doesNotMatch(await node.host.ip("link show"), /vethgo/);
});

test("requests of an earlier life are deleted at start, and blocks that come of them are given back", async () => {
  await using node = await startCoilNode(cluster, "r-requests");
  await node.stop();
  const names = ["req-default-r-requests", "req-default-r-requests-0123abcd"];
  await Promise.all(names.map((name) => cluster.request("r-requests", "default", name)));
  await eventually("two blocks", 5_000, async () => (await blocksOf("r-requests")).length === 2);
  await node.start();
  const left = async () => {
    const { items } = await cluster.client.list(blockRequests, { fieldSelector: "spec.nodeName=r-requests" }, { signal });
    return items.length;
  };
  await eventually("no request", 3_000, async () => (await left()) === 0);
  await eventually("no block", 8_000, async () => (await blocksOf("r-requests")).length === 0);
});

test("coild that starts while the API server is away becomes ready when it is back", async () => {
  await using node = await startCoilNode(cluster, "r-away");
  const pod = await node.addPod("away");
  const address = await add(node, pod);
  await node.stop();
  await cluster.api.kill();
  try {
    await node.start({}, { wait: false });
    await sleep(1_000);
    assert.equal(await node.readiness(), 503);
    await assert.rejects(node.call("add", pod), { code: "ENOENT" });
  } finally {
    await cluster.api.start();
  }
  await eventually("ready", 15_000, async () => (await node.readiness()) === 200);
  assert.equal(await add(node, pod), address);
});

test("the socket is made again when somebody removes it", async () => {
  await using node = await startCoilNode(cluster, "r-socket");
  const { rm, stat } = await import("node:fs/promises");
  await rm(node.socket);
  await eventually("a new socket", 8_000, () => stat(node.socket).catch(() => undefined));
  assert.deepEqual((await node.call("status", undefined)).body, { ready: true });
});
