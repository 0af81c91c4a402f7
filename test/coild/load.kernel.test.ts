import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { blockRequests } from "../../src/crd/resources.ts";
import { type Answer, addNamespace, startCoilNode, type TestPod } from "../support/coil-node.ts";
import { eventually } from "../support/eventually.ts";
import { startIpamCluster } from "../support/ipam-cluster.ts";

const resources = new AsyncDisposableStack();
after(() => resources.disposeAsync());
const cluster = resources.use(await startIpamCluster());
const signal = new AbortController().signal;
await cluster.addPool("default", { blockSizeBits: 5, subnets: [{ ipv4: "10.2.0.0/16", ipv6: "fd02::/112" }] });
await cluster.addPool("other", { blockSizeBits: 5, subnets: [{ ipv4: "10.3.0.0/16" }] });
await addNamespace(cluster, "other", "other");

const addressOf = (answer: Answer) => answer.body.result?.ips[0]?.address;
const blocksOf = async (name: string) =>
  (await cluster.blocks()).filter(({ metadata }) => metadata.labels?.["coil.cybozu.com/node"] === name);

test("T3, T18: while the controller is away pods wait, others do not, and one block is granted in the end", async () => {
  await using node = await startCoilNode(cluster, "l-frozen", { flags: { "address-wait": 700, "block-hold-time": 500 } });
  const warm = await node.addPod("warm", "other");
  {
    await using _controller = await cluster.startController();
    assert.equal((await node.call("add", warm)).status, 200);
  }
  const wanting = await node.addPod("wanting");
  for (let i = 0; i < 3; i++) {
    const attempt = node.call("add", wanting, { containerId: `attempt-${i}` });
    await sleep(50);
    const neighbour = await node.addPod(`neighbour-${i}`, "other");
    const added = await node.call("add", neighbour);
    const deleted = await node.call("del", neighbour);
    assert.deepEqual([added.status, deleted.status], [200, 200]);
    assert.ok(added.ms < 250 && deleted.ms < 250, `ADD took ${added.ms} ms, DEL ${deleted.ms} ms`);
    const { status, body } = await attempt;
    assert.deepEqual([status, body.code], [503, 11]);
    assert.match(
      body.msg ?? "",
      /^cannot allocate an address for pod default\/wanting from pool default: no block was granted within 0\.7 s: is coil-ipam-controller running\?/,
    );
  }
  assert.equal((await cluster.client.list(blockRequests, {}, { signal })).items.length, 1);
  await using _controller = await cluster.startController();
  const added = await eventually("an address", 5_000, async () => {
    const answer = await node.call("add", wanting, { containerId: "last" });
    return answer.status === 200 && answer;
  });
  assert.ok(addressOf(added));
  const pools = (await blocksOf("l-frozen")).map(({ metadata }) => metadata.labels?.["coil.cybozu.com/pool"]);
  assert.deepEqual(pools.sort(), ["default", "other"]);
  await node.call("del", wanting, { containerId: "last" });
  await node.call("del", warm);
  await eventually("no block", 5_000, async () => (await blocksOf("l-frozen")).length === 0);
});

test("a caller that goes away gets nothing, wherever its ADD is", async () => {
  await using node = await startCoilNode(cluster, "l-gone", { flags: { "block-hold-time": 300 } });
  const pod = await node.addPod("gone");
  const callWhich = async (ms: number) => {
    const caller = new AbortController();
    const answer = node.call("add", pod, { signal: caller.signal });
    await sleep(ms);
    caller.abort();
    await answer.catch(() => undefined);
  };
  await callWhich(100);
  await eventually("nobody waits", 1_000, async () => (await node.state()).pools.every(({ waiting }) => waiting === 0));
  await using _controller = await cluster.startController();
  for (const ms of [0, 1, 2, 3, 4, 6, 8, 12, 20, 40]) {
    await callWhich(ms);
    await eventually("nothing is left", 2_000, async () => {
      // What was finished before the caller went is the runtime's to delete.
      const { attachments } = await node.state();
      if (attachments.length > 0) await node.call("del", pod);
      return attachments.length === 0;
    });
    assert.equal(await node.host.ip("route show table 116").catch(() => ""), "");
    assert.equal(await pod.space.ip("link show dev eth0").catch(() => "none"), "none");
  }
});

test("T17: starting and stopping one pod a hundred times takes two requests at most", async () => {
  await using _controller = await cluster.startController();
  await using node = await startCoilNode(cluster, "l-cycle");
  const pod = await node.addPod("cycle");
  const took: number[] = [];
  for (let i = 0; i < 100; i++) {
    const added = await node.call("add", pod, { containerId: `cycle-${i}` });
    assert.equal(added.status, 200);
    took.push(added.ms);
    await node.call("del", pod, { containerId: `cycle-${i}` });
  }
  assert.ok(node.apiCalls.filter((call) => call === "create blockrequests").length <= 2);
  assert.equal((await blocksOf("l-cycle")).length, 1);
});

test("T5: ADDs that fail after they got an address leave none, and one block at most", async () => {
  await using _controller = await cluster.startController();
  await using node = await startCoilNode(cluster, "l-fail");
  const pod = await node.addPod("fail");
  await pod.space.ip("link add eth0 type veth peer name elsewhere");
  for (let i = 0; i < 200; i++) {
    const { status, body } = await node.call("add", pod, { containerId: `fail-${i}` });
    assert.deepEqual([status, body.code], [400, 4], JSON.stringify(body));
  }
  assert.deepEqual((await node.state()).attachments, []);
  assert.equal((await blocksOf("l-fail")).length, 1);
  assert.equal(await node.host.ip("route show table 116").catch(() => ""), "");
});

test("T20: a hundred pods at once on a new node", async () => {
  await using _controller = await cluster.startController();
  await using node = await startCoilNode(cluster, "l-many");
  const pods = await Promise.all(Array.from({ length: 100 }, (_, i) => node.addPod(`many-${i}`)));
  await sleep(300);
  const answers = await Promise.all(pods.map((pod) => node.call("add", pod)));
  const slowest = Math.max(...answers.map(({ ms }) => ms));
  assert.equal(new Set(answers.map(addressOf)).size, 100);
  assert.ok(slowest < 5_000, `the slowest took ${slowest} ms`);
  assert.equal(node.apiCalls.filter((call) => call === "create blockrequests").length, 4);
  const deleted = await Promise.all(pods.map((pod) => node.call("del", pod)));
  console.log(
    `# slowest ADD of 100 ${Math.round(slowest)} ms, slowest DEL ${Math.round(Math.max(...deleted.map(({ ms }) => ms)))} ms`,
  );
  assert.deepEqual((await node.state()).attachments, []);
});

test("T14: ADDs and DELs in parallel, with blocks that come, go and change: no address twice", async () => {
  await using _controller = await cluster.startController();
  const flags = { "block-hold-time": 50, "addressblock-gc-interval": 100, "address-reuse-delay": 0 };
  await using node = await startCoilNode(cluster, "l-churn", { flags });
  const pods = await Promise.all(
    Array.from({ length: 60 }, (_, i) => node.addPod(`churn-${i}`, i % 3 === 0 ? "other" : "default")),
  );
  const holders = new Map<string, string>();
  const until = performance.now() + 8_000;
  let cycles = 0;
  const live = async (pod: TestPod, n: number) => {
    while (performance.now() < until) {
      const options = { containerId: `${pod.containerId}-${cycles++}` };
      const answer = await node.call("add", pod, options);
      const address = addressOf(answer);
      if (address === undefined) {
        assert.equal(answer.body.code, 11, JSON.stringify(answer.body));
        continue;
      }
      assert.equal(holders.get(address), undefined, `${address} is ${holders.get(address)}'s, and now ${pod.name}'s as well`);
      holders.set(address, pod.name);
      await sleep((n * 7) % 40);
      holders.delete(address);
      assert.equal((await node.call("del", pod, options)).status, 200);
    }
  };
  await Promise.all(pods.map(live));
  assert.deepEqual((await node.state()).attachments, []);
  assert.equal(await node.host.ip("route show table 116").catch(() => ""), "");
  await eventually("all blocks are given back", 5_000, async () => (await blocksOf("l-churn")).length === 0);
  console.log(`# ${cycles} pods came and went`);
});

test("T20: an ADD in a namespace that hangs does not hold up another", async () => {
  await using _controller = await cluster.startController();
  await using node = await startCoilNode(cluster, "l-hung");
  const [hung, other] = [await node.addPod("hung"), await node.addPod("free")];
  await node.call("add", await node.addPod("first"));
  const waiting = Array.from({ length: 20 }, () => node.call("add", hung));
  const { status, ms } = await node.call("add", other);
  assert.equal(status, 200);
  assert.ok(ms < 150, `took ${ms} ms`);
  const results = await Promise.all(waiting);
  assert.equal(new Set(results.map(addressOf)).size, 1, "all ADDs of one attachment give one answer");
});

test("while the API server stands still, pods of warm blocks come and go as always", async () => {
  await using node = await startCoilNode(cluster, "l-frozen-api");
  const pods = await Promise.all(Array.from({ length: 10 }, (_, i) => node.addPod(`frozen-${i}`)));
  {
    await using _controller = await cluster.startController();
    assert.equal((await node.call("add", pods[0] as TestPod)).status, 200);
    await sleep(500);
  }
  cluster.api.freeze();
  try {
    for (const pod of pods.slice(1)) {
      const [added, deleted] = [await node.call("add", pod), await node.call("del", pod)];
      assert.deepEqual([added.status, deleted.status], [200, 200], JSON.stringify(added.body));
      assert.ok(added.ms < 250 && deleted.ms < 250, `ADD took ${added.ms} ms, DEL ${deleted.ms} ms`);
    }
    assert.deepEqual((await node.call("status", undefined)).body, { ready: true });
  } finally {
    cluster.api.thaw();
  }
});
