import assert from "node:assert/strict";
import { after, test } from "node:test";
import { addressBlocks, addressPools } from "../../src/crd/resources.ts";
import { events, pods } from "../../src/kube/resources.ts";
import { addNamespace, startCoilNode } from "../support/coil-node.ts";
import { eventually } from "../support/eventually.ts";
import { startIpamCluster } from "../support/ipam-cluster.ts";

const resources = new AsyncDisposableStack();
after(() => resources.disposeAsync());
const cluster = resources.use(await startIpamCluster());
resources.use(await cluster.startController());
const signal = new AbortController().signal;
await cluster.addPool("default", { blockSizeBits: 5, subnets: [{ ipv4: "10.2.0.0/20", ipv6: "fd02::/116" }] });

const addressesOf = (answer: { body: { result?: { ips: readonly { address: string }[] } } }) =>
  answer.body.result?.ips.map(({ address }) => address);

test("ADD, CHECK and DEL of a pod, each twice: the second time nothing is different", async () => {
  await using node = await startCoilNode(cluster, "n-basic");
  const pod = await node.addPod("basic");
  const first = await node.call("add", pod);
  assert.equal(first.status, 200, JSON.stringify(first.body));
  const result = first.body.result as unknown as Record<string, Record<string, unknown>[]>;
  const [inside, outside] = result["interfaces"] as [Record<string, unknown>, Record<string, unknown>];
  assert.deepEqual(result, {
    cniVersion: "1.1.0",
    interfaces: [
      { name: "eth0", mac: inside["mac"], mtu: 1450, sandbox: pod.space.path },
      { name: outside["name"], mac: outside["mac"], mtu: 1450 },
    ],
    ips: [
      { address: "10.2.0.0/32", gateway: "169.254.1.1", interface: 0 },
      { address: "fd02::/128", gateway: "fe80::1", interface: 0 },
    ],
    routes: [
      { dst: "0.0.0.0/0", gw: "169.254.1.1" },
      { dst: "::/0", gw: "fe80::1" },
    ],
  });
  assert.equal(await node.host.ip("route show table 119"), "10.2.0.0/27 dev lo proto 30");
  assert.equal(await node.host.ip("-6 route show table 119"), "fd02::/123 dev lo proto 30 metric 1024 pref medium");
  await pod.space.exec("ping", "-c1", "-W1", "192.0.2.10");
  assert.deepEqual((await node.call("add", pod)).body, first.body);

  const check = { config: { prevResult: first.body.result } };
  assert.deepEqual((await node.call("check", pod, check)).body, {});
  await pod.space.ip("address del 10.2.0.0/32 dev eth0");
  const failed = await node.call("check", pod, check);
  assert.deepEqual([failed.status, failed.body.code], [500, 999]);
  assert.match(failed.body.msg ?? "", /^check failed: .*10\.2\.0\.0/);

  for (const _ of [1, 2]) {
    const { status, body, ms } = await node.call("del", pod);
    assert.deepEqual([status, body], [200, {}]);
    assert.ok(ms < 200, `DEL took ${ms} ms`);
  }
  assert.equal(await node.host.ip("route show table 116"), "");
  const gone = await node.call("check", pod, check);
  assert.deepEqual([gone.status, gone.body.code], [404, 3]);
  assert.deepEqual((await node.state()).attachments, []);
});

test("DEL of what nobody knows, without a namespace, succeeds", async () => {
  await using node = await startCoilNode(cluster, "n-del");
  const pod = await node.addPod("del");
  assert.deepEqual((await node.call("del", pod, { netns: "/run/netns/gone" })).body, {});
});

test("T9: ADD and DEL inside a block that is there call the API server not once", async () => {
  await using node = await startCoilNode(cluster, "n-warm");
  const first = await node.addPod("warm-0");
  await node.call("add", first);
  await eventually("the request is deleted", 5_000, async () => node.apiCalls.includes("delete blockrequests"));
  const others = await Promise.all(Array.from({ length: 10 }, (_, i) => node.addPod(`warm-${i + 1}`)));
  await eventually("the watch tells of the pods", 5_000, async () => {
    const { items } = await cluster.client.list(pods, { fieldSelector: "spec.nodeName=n-warm" }, { signal });
    return items.length === 11;
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  node.apiCalls.length = 0;
  const added = await Promise.all(others.map((pod) => node.call("add", pod)));
  assert.deepEqual([...new Set(added.map(({ status }) => status))], [200]);
  await Promise.all(others.map((pod) => node.call("del", pod)));
  assert.deepEqual(node.apiCalls, []);
});

test("the namespace says which pool, the pod does not", async () => {
  await cluster.addPool("blue", { blockSizeBits: 0, subnets: [{ ipv4: "10.9.0.0/30" }] });
  await addNamespace(cluster, "blue", "blue");
  await addNamespace(cluster, "typo", "bleu");
  await addNamespace(cluster, "empty", "");
  await using node = await startCoilNode(cluster, "n-pools");
  const blue = await node.addPod("p", "blue");
  assert.deepEqual(addressesOf(await node.call("add", blue)), ["10.9.0.0/32"]);
  assert.equal(await blue.space.ip("-6 address show dev eth0"), "");
  const sly = await node.addPod("sly");
  const annotations = { "coil.cybozu.com/pool": "blue" };
  await cluster.client.patch(pods, sly, { type: "merge", body: { metadata: { annotations } } }, { signal });
  assert.match(addressesOf(await node.call("add", sly))?.[0] ?? "", /^10\.2\./);

  const unknown = await node.call("add", await node.addPod("p", "typo"));
  assert.deepEqual(unknown.body, {
    code: 11,
    msg: "cannot allocate an address for pod typo/p from pool bleu: there is no such pool",
  });
  assert.ok(unknown.ms < 1000);
  const empty = await node.call("add", await node.addPod("p", "empty"));
  assert.deepEqual([empty.body.code, empty.body.msg], [7, "The annotation coil.cybozu.com/pool of namespace empty is empty"]);
});

test("an exhausted pool: the call and an event on the pod say so at once", async () => {
  await cluster.addPool("small", { blockSizeBits: 0, subnets: [{ ipv4: "10.9.1.0/32" }] });
  await addNamespace(cluster, "small", "small");
  await using node = await startCoilNode(cluster, "n-small");
  assert.equal((await node.call("add", await node.addPod("has", "small"))).status, 200);
  const { status, body, ms } = await node.call("add", await node.addPod("wants", "small"));
  const msg =
    "cannot allocate an address for pod small/wants from pool small: the pool has no free block " +
    "(node n-small holds 1 block, 1 of 1 addresses in use)";
  assert.deepEqual([status, body], [503, { code: 11, msg }]);
  assert.ok(ms < 2_000, `took ${ms} ms`);
  const event = await eventually("an event", 5_000, async () => {
    const { items } = await cluster.client.list(events, { namespace: "small" }, { signal });
    return items.find(({ involvedObject }) => involvedObject.name === "wants");
  });
  assert.deepEqual([event.type, event.reason, event.message], ["Warning", "FailedAddressAllocation", msg]);
});

test("a single address that was freed is given again when the pool has no other", async () => {
  await cluster.addPool("single", { blockSizeBits: 0, subnets: [{ ipv4: "10.9.2.0/32" }] });
  await addNamespace(cluster, "single", "single");
  await using node = await startCoilNode(cluster, "n-single");
  for (const name of ["a", "b", "c"]) {
    const pod = await node.addPod(name, "single");
    const added = await node.call("add", pod);
    assert.deepEqual(addressesOf(added), ["10.9.2.0/32"]);
    assert.ok(added.ms < 2_000, `took ${added.ms} ms`);
    await node.call("del", pod);
  }
});

test("T12, T11: a pool that is deleted gives nothing more, and is gone when its last pod is", async () => {
  await cluster.addPool("leaving", { blockSizeBits: 3, subnets: [{ ipv4: "10.9.3.0/24" }] });
  await addNamespace(cluster, "leaving", "leaving");
  await using node = await startCoilNode(cluster, "n-leaving");
  const pod = await node.addPod("stays", "leaving");
  await node.call("add", pod);
  await cluster.client.delete(addressPools, { name: "leaving" }, { signal });
  const late = await node.addPod("late", "leaving");
  const refused = await eventually("refusal", 2_000, async () => {
    const answer = await node.call("add", late);
    if (answer.status !== 200) return answer;
    await node.call("del", late);
    return undefined;
  });
  assert.equal(refused.body.msg, "cannot allocate an address for pod leaving/late from pool leaving: the pool is being deleted");
  assert.equal(refused.body.code, 11);
  assert.equal((await cluster.blocks("leaving")).length, 1);
  await node.call("del", pod);
  await eventually("the pool is gone", 5_000, async () => (await cluster.pool("leaving")) === undefined);
  assert.doesNotMatch(await node.host.ip("route show table 119").catch(() => ""), /10\.9\.3\./);
});

test("pods are told apart by UID: a pod made again under its name is another one, a static pod is known by its mirror", async () => {
  await using node = await startCoilNode(cluster, "n-uids");
  const pod = await node.addPod("twice");
  const other = await node.call("add", pod, { uid: "00000000-0000-0000-0000-000000000000" });
  assert.deepEqual([other.body.code, other.body.msg], [3, "The pod default/twice is another one now"]);
  const nobody = await node.call("add", { ...pod, name: "nobody" });
  assert.deepEqual([nobody.body.code, nobody.body.msg], [3, "There is no pod default/nobody"]);
  const mirror = await node.addPod("static", "default", { "kubernetes.io/config.mirror": "hash-of-the-file" });
  assert.equal((await node.call("add", mirror, { uid: "hash-of-the-file" })).status, 200);
  assert.equal((await node.call("add", { ...pod, name: "" })).body.code, 4);
});

test("a configuration with a plugin in front is refused", async () => {
  await using node = await startCoilNode(cluster, "n-chained");
  const prevResult = { cniVersion: "1.1.0", interfaces: [], ips: [] };
  const answer = await node.call("add", await node.addPod("chained"), { config: { prevResult } });
  assert.deepEqual([answer.status, answer.body.code], [400, 7]);
});

test("namespaces that cannot be used: gone, no namespace at all, the node's own", async () => {
  await using node = await startCoilNode(cluster, "n-netns");
  const pod = await node.addPod("netns");
  const codes = [];
  for (const netns of ["/run/netns/none", "/etc/hostname", node.host.path]) {
    codes.push((await node.call("add", pod, { netns })).body.code);
  }
  assert.deepEqual(codes, [3, 4, 8]);
  assert.deepEqual((await node.state()).attachments, []);
});

test("GC removes what is of its network and not valid, and nothing else", async () => {
  await using node = await startCoilNode(cluster, "n-gc");
  const [keep, stale, foreign] = [await node.addPod("keep"), await node.addPod("stale"), await node.addPod("foreign")];
  await node.call("add", keep);
  await node.call("add", stale);
  await node.call("add", foreign, { config: { name: "other-network" } });
  const validAttachments = [{ containerID: keep.containerId, ifname: "eth0" }];
  const answer = await node.call("gc", undefined, { config: { "cni.dev/valid-attachments": validAttachments } });
  assert.deepEqual(answer.body, {});
  const left = (await node.state()).attachments.map(({ key }) => key).sort();
  assert.deepEqual(left, [`${foreign.containerId}:eth0`, `${keep.containerId}:eth0`].sort());
});

test("STATUS, readiness and metrics tell what is so", async () => {
  await using node = await startCoilNode(cluster, "n-status");
  assert.deepEqual((await node.call("status", undefined)).body, { ready: true });
  await node.call("add", await node.addPod("status"));
  const metrics = await node.metrics();
  for (const line of [
    /^coil_node_pool_used_addresses\{pool="default"\} 1$/m,
    /^coil_node_pool_free_addresses\{pool="default"\} 31$/m,
    /^coil_node_block_free_addresses\{pool="default",block="default-[0-9]+"\} 31$/m,
    /^coil_node_attachments 1$/m,
    /^coil_cni_calls_total\{command="ADD",reason="ok"\} 1$/m,
    /^coil_cni_phase_seconds_count\{command="ADD",phase="network"\} 1$/m,
    /^coil_cni_lock_wait_seconds_count [1-9]/m,
    /^coil_node_block_requests_total\{pool="default",result="filled"\} 1$/m,
  ]) {
    assert.match(metrics, line);
  }
});

test("an empty block is given back after a while, and its route withdrawn before", async () => {
  await using node = await startCoilNode(cluster, "n-hold", { flags: { "block-hold-time": 300 } });
  const pod = await node.addPod("hold");
  await node.call("add", pod);
  const mine = async () =>
    (await cluster.blocks()).filter(({ metadata }) => metadata.labels?.["coil.cybozu.com/node"] === "n-hold");
  assert.equal((await mine()).length, 1);
  await node.call("del", pod);
  await eventually("no block", 3_000, async () => (await mine()).length === 0);
  assert.equal(await node.host.ip("route show table 119").catch(() => ""), "");
});

test("T34: the route of a block that somebody deleted by force leaves within a second", async () => {
  await using node = await startCoilNode(cluster, "n-force");
  await node.call("add", await node.addPod("force"));
  const [block] = (await node.state()).blocks;
  const ref = { name: block?.block ?? "" };
  await cluster.client.delete(addressBlocks, ref, { signal });
  await cluster.client.patch(addressBlocks, ref, { type: "merge", body: { metadata: { finalizers: null } } }, { signal });
  await eventually("no route", 1_000, async () => (await node.host.ip("route show table 119").catch(() => "")) === "");
});
