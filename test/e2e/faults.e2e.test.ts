import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { PlacedPod } from "../../lab/demo/pod-table.ts";
import { allOthers, pingAll } from "../../lab/demo/reachability.ts";
import { readProgram } from "../../lab/programs/record.ts";
import type { AddressBlock } from "../../src/crd/address-block.ts";
import type { KubeObject } from "../../src/kube/object.ts";
import type { Lease, Node, Pod } from "../../src/kube/resources.ts";
import { eventually } from "../support/eventually.ts";
import { coilLab, startLab, type TestLab } from "../support/lab.ts";
import { addressPool, deployment, namespace, pod } from "../support/lab-objects.ts";

const APP = "app";
const PODS = 6;

let lab: TestLab;
before(async () => {
  lab = await startLab({ nodes: 3, family: "dual" });
  await lab.kubectl.apply([
    addressPool("default", 1, { ipv4: "10.100.0.0/24", ipv6: "fd10:100::/120" }),
    namespace(APP),
    deployment(APP, "app", PODS),
  ]);
});
after(() => lab?.[Symbol.asyncDispose]());

async function assertConnected(pods: readonly PlacedPod[]): Promise<void> {
  const { failures } = await pingAll(pods, allOthers(pods));
  assert.deepEqual(failures, []);
}

async function assertSound(pods: readonly PlacedPod[]): Promise<void> {
  const addresses = pods.flatMap((each) => each.addresses);
  assert.equal(new Set(addresses).size, addresses.length, "no address is given twice");
  for (const { node, block } of pods) assert.equal(block?.node, node);
  await assertConnected(pods);
}

test("pods go on without coild, can be deleted without it, and wait for it to start", async () => {
  const pods = await lab.pods(APP, PODS);
  const victim = pods.find(({ node }) => node === "coil-worker");
  assert.ok(victim);
  await coilLab("kill", "coil-worker", "coild", "--signal", "KILL");
  await assertConnected(pods);
  await lab.kubectl.run("delete", "pod", "-n", APP, victim.name, "--timeout=20s");
  await lab.kubectl.apply([pod(APP, "late", { node: "coil-worker" })]);
  await eventually("the node is not ready", 30_000, async () => {
    const [node] = await lab.kubectl.list<Node>("nodes", "--field-selector", "metadata.name=coil-worker");
    return node?.status?.conditions?.some(
      ({ type, status, message }) => type === "Ready" && status === "False" && /coild/.test(message ?? ""),
    );
  });
  const [late] = await lab.kubectl.list<Pod>("pods", "-n", APP, "--field-selector", "metadata.name=late");
  assert.equal(late?.status?.phase, "Pending");
  await coilLab("start", "coil-worker", "coild");
  await assertSound(await lab.pods(APP, PODS + 1));
  await lab.kubectl.run("delete", "pod", "-n", APP, "late");
});

test("another coil-ipam-controller takes over when the one that leads is ended", async () => {
  const holder = async () => {
    const leases = await lab.kubectl.list<Lease>("leases", "-n", "kube-system");
    return leases.find(({ metadata }) => metadata.name === "coil-ipam-leader")?.spec?.holderIdentity;
  };
  const before = await holder();
  assert.ok(before);
  // Both take the name of the machine, so which of them leads shows only when one is gone.
  await coilLab("kill", "coil-control-plane", "coil-ipam-controller");
  await coilLab("start", "coil-control-plane", "coil-ipam-controller");
  await coilLab("kill", "coil-worker", "coil-ipam-controller");
  await lab.kubectl.run("scale", "-n", APP, "deployment/app", "--replicas=14");
  await assertSound(await lab.pods(APP, 14));
  assert.notEqual(await holder(), before);
  await coilLab("start", "coil-worker", "coil-ipam-controller");
  await lab.kubectl.run("scale", "-n", APP, "deployment/app", `--replicas=${PODS}`);
});

test("pods go on without the API server, and all is well when it is back", async () => {
  const pods = await lab.pods(APP, PODS);
  await coilLab("kill", "coil-control-plane", "kube-apiserver", "--signal", "KILL");
  await assertConnected(pods);
  await coilLab("start", "coil-control-plane", "kube-apiserver");
  await lab.kubectl.run("scale", "-n", APP, "deployment/app", `--replicas=${PODS + 2}`);
  await assertSound(await lab.pods(APP, PODS + 2));
  await lab.kubectl.run("scale", "-n", APP, "deployment/app", `--replicas=${PODS}`);
});

test("a program that ends by itself is started again, one that was killed is not", async () => {
  const before = readProgram("coil-worker2", "coil-router");
  assert.ok(before?.process);
  process.kill(before.process.pid, "SIGKILL");
  await eventually("coil-router runs again", 20_000, async () => {
    const { programs } = JSON.parse((await coilLab("status", "--json").catch((e) => e.result.stdout)) as string) as {
      programs: { node: string; name: string; state: string; restarts: number }[];
    };
    const router = programs.find(({ node, name }) => node === "coil-worker2" && name === "coil-router");
    return router?.state === "ready" && router.restarts === 1;
  });
  await coilLab("kill", "coil-worker2", "coil-router", "--signal", "KILL");
  await new Promise((resolve) => setTimeout(resolve, 3000));
  assert.match(await coilLab("status").catch((e) => e.result.stdout), /coil-worker2 +coil-router +1 +stopped/);
  await coilLab("start", "coil-worker2", "coil-router");
});

test("pods go on without the lab's agent, and it notices what happened meanwhile", async () => {
  const [first, second, ...rest] = await lab.pods(APP, PODS);
  assert.ok(first && second);
  await coilLab("kill", "coil-fabric", "agent", "--signal", "KILL");
  await assertConnected([first, second, ...rest]);
  // Both its container ends and the pod is deleted while nobody looks.
  await lab.inPod(first, "sh", "-c", `kill $(ip netns pids ${first.netns} | head -1)`);
  await lab.kubectl.run("delete", "pod", "-n", APP, second.name, "--wait=false");
  await coilLab("start", "coil-fabric", "agent");
  await eventually("the container is started again", 20_000, async () => {
    const [seen] = await lab.kubectl.list<Pod>("pods", "-n", APP, "--field-selector", `metadata.name=${first.name}`);
    const [container] = seen?.status?.containerStatuses ?? [];
    return container?.ready && container.restartCount === 1;
  });
  const pods = await lab.pods(APP, PODS);
  assert.ok(!pods.some(({ name }) => name === second.name));
  assert.deepEqual(pods.find(({ name }) => name === first.name)?.addresses, first.addresses);
  await assertSound(pods);
});

test("the blocks of a node that is deleted go back, and the node may come again", async () => {
  await lab.pods(APP, PODS);
  await coilLab("kill", "coil-worker2", "kubelet");
  await lab.kubectl.run("delete", "node", "coil-worker2");
  await eventually("no block belongs to the node", 60_000, async () => {
    const blocks = await lab.kubectl.list<AddressBlock>("addressblocks");
    return blocks.every(({ metadata }) => metadata.labels?.["coil.cybozu.com/node"] !== "coil-worker2");
  });
  await coilLab("start", "coil-worker2", "kubelet");
  await eventually("the node is ready", 30_000, async () => {
    const [node] = await lab.kubectl.list<Node>("nodes", "--field-selector", "metadata.name=coil-worker2");
    return node?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True");
  });
});

test("after all that, nothing stays behind", async () => {
  await lab.deleteAll(`ns/${APP}`, "addresspool/default");
  assert.deepEqual(await lab.kubectl.list<KubeObject>("blockrequests"), []);
});
