import assert from "node:assert/strict";
import { test } from "node:test";
import { SimulatedBlocks } from "../../../test/support/simulated-blocks.ts";
import type { PodNetwork } from "../../apply/pod-network.ts";
import { PodNetworkError, type PodNetworkErrorCode } from "../../apply/pod-network-error.ts";
import { formatAddress } from "../../ip/address.ts";
import { createSilentLogger } from "../../observe/logger.ts";
import { attachmentKey } from "../../podnet/names.ts";
import type { ObservedPod } from "../../podnet/observed-pods.ts";
import { type CniCall, parseCniCall, parseNetworkCall } from "../../rpc/protocol.ts";
import { recallFreed } from "./adopt.ts";
import { type Attachments, createAttachments } from "./attachments.ts";

/** A pod network that does what a test tells it: what fails here, no kernel does on demand. */
class ScriptedNetwork implements Pick<PodNetwork, "setUp" | "tearDown" | "check" | "observed"> {
  readonly pods = new Map<string, ObservedPod>();
  /** What the next set-ups come to. */
  readonly setUps: (Error | (() => Promise<void>))[] = [];
  tearDownFails = false;
  readonly calls: string[] = [];

  async setUp(...[attachment, { signal }]: Parameters<PodNetwork["setUp"]>) {
    const { key, ipv4 } = attachment;
    this.calls.push(`setUp ${key} ${ipv4 && formatAddress(ipv4)}`);
    const next = this.setUps.shift();
    if (next instanceof Error) throw next;
    await next?.();
    signal.throwIfAborted();
    this.pods.set(key, { ...attachment, hostInterface: "veth1", index: 1, origin: "ours" });
    return { hostInterface: "veth1", hostMac: "02:00:00:00:00:01", podMac: "02:00:00:00:00:02", mtu: 1500 };
  }
  async tearDown(key: string) {
    this.calls.push(`tearDown ${key}`);
    if (this.tearDownFails) throw new Error("the kernel refuses");
    return this.pods.delete(key) ? ("removed" as const) : ("absent" as const);
  }
  check = async () => [];
  observed = () => [...this.pods.values()];
}

interface Setting {
  readonly cluster: SimulatedBlocks;
  readonly network: ScriptedNetwork;
  readonly attachments: Attachments;
  readonly intents: Set<string>;
  /** What an ADD came to: the address, or the error. */
  add(name: string, options?: { signal?: AbortSignal; containerId?: string }): Promise<string>;
  used(): string[];
}

const timer = { phase: () => {}, end: () => {} };

/** With one warm block of `2^blockSizeBits` addresses. */
async function setting(blockSizeBits = 2): Promise<Setting> {
  const cluster = new SimulatedBlocks({ blockSizeBits, subnet: "10.0.0.0/28", prefetch: false });
  const { ipam, desk } = cluster;
  const first = cluster.allocate("warm up");
  await cluster.run(1);
  await first;
  desk.free("warm up", { unused: true });
  const network = new ScriptedNetwork();
  const intents = new Set<string>();
  const attachments = createAttachments({
    ...{ network, desk, ipam, log: createSilentLogger() },
    directory: {
      find: async ({ namespace, name }) => ({ metadata: { namespace, name, uid: `uid of ${name}` } }),
      poolOf: async () => "default",
    },
    intents: { has: async (a) => intents.has(attachmentKey(a)), remove: (a) => void intents.delete(attachmentKey(a)) },
    metrics: { startAdd: () => timer, startDel: () => timer, lockWaited: () => {} },
  });
  return {
    ...{ cluster, network, attachments, intents },
    add: (name, { signal = new AbortController().signal, containerId = name } = {}) =>
      attachments.add(callOf(name, containerId), { signal, progress: {} }).then(
        ({ ips }) => ips?.[0]?.address ?? "",
        (error: Error) => error.message,
      ),
    used: () => ipam.allocations().map(({ key }) => key),
  };
}

function callOf(name: string, containerId: string): CniCall {
  return parseCniCall("ADD", {
    ...{ containerId, ifname: "eth0", netns: "/run/netns/x" },
    args: { K8S_POD_NAMESPACE: "ns", K8S_POD_NAME: name },
    config: { cniVersion: "1.1.0", name: "net", type: "coil" },
  });
}

const failure = (code: PodNetworkErrorCode, leftBehind = false) =>
  new PodNetworkError(code, `because of ${code}`, { leftBehind });

test("after a set-up that failed the address is free, and the link is surely gone", async () => {
  const { network, add, used, cluster } = await setting();
  for (const error of [failure("kernel"), failure("namespace-gone"), new Error("surprise")]) {
    network.setUps.push(error);
    assert.equal(await add("p"), error.message);
    assert.equal(network.calls.at(-1), "tearDown p:eth0");
    assert.deepEqual(used(), []);
  }
  assert.equal(cluster.ipam.freeCount("default"), 4);
});

test("an address whose link could not be taken back stays in use until the link is gone", async () => {
  const { network, attachments, add, used } = await setting();
  network.setUps.push(failure("kernel", true));
  await add("p");
  assert.deepEqual(used(), ["p:eth0"]);
  network.setUps.push(failure("kernel"));
  network.tearDownFails = true;
  await add("q");
  assert.deepEqual(used(), ["p:eth0", "q:eth0"]);
  await attachments.vanished("p:eth0");
  assert.deepEqual(used(), ["q:eth0"]);
});

test("a link that vanished and was made again keeps its address", async () => {
  const { attachments, add, used } = await setting();
  await add("p");
  await attachments.vanished("p:eth0");
  assert.deepEqual(used(), ["p:eth0"]);
});

test("an address that is on a link of somebody else is kept out of use, and the pod gets another", async () => {
  const { network, add, used } = await setting(3);
  network.setUps.push(failure("address-in-use"));
  assert.equal(await add("p"), "10.0.0.2/32");
  assert.deepEqual(used(), ["in use elsewhere: 10.0.0.1", "p:eth0"]);
  network.setUps.push(failure("address-in-use"), failure("address-in-use"), failure("address-in-use"));
  assert.equal(await add("q"), "because of address-in-use");
});

test("a caller that goes away during the set-up leaves nothing; a repeated ADD keeps what was there", async () => {
  const { network, add, used } = await setting();
  const caller = new AbortController();
  network.setUps.push(async () => caller.abort(new Error("gone")));
  assert.equal(await add("p", { signal: caller.signal }), "gone");
  assert.deepEqual([used(), network.observed()], [[], []]);

  await add("p");
  const second = new AbortController();
  network.setUps.push(async () => second.abort(new Error("gone")));
  assert.equal(await add("p", { signal: second.signal }), "gone");
  assert.deepEqual([used(), network.observed().length], [["p:eth0"], 1]);
});

test("DEL ends an ADD that waits for an address, and one that is setting up", async () => {
  const { cluster, network, attachments, add, used } = await setting(0);
  await add("has");
  const waiting = add("waits");
  await cluster.clock.advance(5);
  await attachments.del({ containerId: "waits", ifname: "eth0" });
  assert.equal(await waiting, "The attachment is being deleted");

  await attachments.del({ containerId: "has", ifname: "eth0" });
  const gate = Promise.withResolvers<void>();
  network.setUps.push(() => gate.promise);
  await cluster.clock.advance(60_000);
  await cluster.run(1);
  const busy = add("busy");
  await cluster.run(1);
  const deleted = attachments.del({ containerId: "busy", ifname: "eth0" });
  gate.resolve();
  await deleted;
  assert.equal(await busy, "The attachment is being deleted");
  assert.deepEqual([used(), network.observed()], [[], []]);
});

test("calls of one attachment wait for each other, those of others do not", async () => {
  const { network, add } = await setting();
  const gate = Promise.withResolvers<void>();
  network.setUps.push(() => gate.promise);
  const [slow, same] = [add("p"), add("p")];
  assert.equal(await add("q"), "10.0.0.2/32");
  gate.resolve();
  assert.deepEqual(await Promise.all([slow, same]), ["10.0.0.1/32", "10.0.0.1/32"]);
});

test("a DEL that was left behind is carried out, unless an ADD came after it", async () => {
  const { attachments, intents, add, used } = await setting();
  await add("p");
  intents.add("p:eth0");
  await add("p");
  await attachments.replay({ containerId: "p", ifname: "eth0" });
  assert.deepEqual(used(), ["p:eth0"]);
  intents.add("p:eth0");
  await attachments.replay({ containerId: "p", ifname: "eth0" });
  assert.deepEqual([used(), [...intents]], [[], []]);
});

test("a DEL whose link cannot be removed fails, and the address stays in use until one succeeds", async () => {
  const { network, attachments, add, used } = await setting();
  await add("p");
  network.tearDownFails = true;
  await assert.rejects(attachments.del({ containerId: "p", ifname: "eth0" }), /the kernel refuses/);
  assert.deepEqual(used(), ["p:eth0"]);
  network.tearDownFails = false;
  await attachments.del({ containerId: "p", ifname: "eth0" });
  assert.deepEqual(used(), []);
});

test("GC leaves alone what an ADD is making at the moment, and goes on when one removal fails", async () => {
  const { network, attachments, add, used } = await setting();
  await add("stale");
  const gate = Promise.withResolvers<void>();
  await add("again");
  network.setUps.push(() => gate.promise);
  const repeated = add("again");
  const config = { cniVersion: "1.1.0", name: "net", type: "coil", "cni.dev/valid-attachments": [] };
  await attachments.collect(parseNetworkCall("GC", { config }));
  assert.deepEqual(used(), ["again:eth0"]);
  gate.resolve();
  await repeated;
  network.tearDownFails = true;
  await assert.rejects(attachments.collect(parseNetworkCall("GC", { config })), /the kernel refuses/);
});

test("when coild stops, ADDs under way end and new ones are refused", async () => {
  const { cluster, attachments, add } = await setting(0);
  await add("has");
  const waiting = add("waits");
  await cluster.clock.advance(5);
  attachments.stop();
  assert.deepEqual([await waiting, await add("late")], ["coild is stopping", "coild is stopping"]);
});

test("recallFreed() takes no time from the future", () => {
  const recalled: number[] = [];
  const ipam = { recall: (_: unknown, at: number) => void recalled.push(at) };
  const address = { family: "ipv4", value: 1n } as const;
  recallFreed(
    ipam,
    [
      { address, at: 900 },
      { address, at: 5_000 },
    ],
    { now: 50, wallTime: 1_000 },
  );
  assert.deepEqual(recalled, [-50, 50]);
});
