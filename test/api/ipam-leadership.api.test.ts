import assert from "node:assert/strict";
import { hostname } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { BlockRequest } from "../../src/crd/block-request.ts";
import { LABEL_REQUEST } from "../../src/crd/names.ts";
import { leases } from "../../src/kube/resources.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { type IpamCluster, startIpamCluster } from "../support/ipam-cluster.ts";
import { startServerProcess } from "../support/server-process.ts";

const signal = new AbortController().signal;
const PROGRAM = new URL("../../bin/coil-ipam-controller.ts", import.meta.url).pathname;

suite("several coil-ipam-controllers hand over", () => {
  let cluster: IpamCluster;
  before(async () => {
    cluster = await startIpamCluster();
    await cluster.addNode("node-a");
  });
  after(() => cluster[Symbol.asyncDispose]());

  const holder = async () =>
    (await cluster.client.get(leases, { namespace: "kube-system", name: "coil-ipam-leader" }, { signal }))?.spec?.holderIdentity;

  /** Requests in a steady stream until stopped. */
  const stream = (pool: string) => {
    const made: Promise<BlockRequest>[] = [];
    const timer = setInterval(() => made.push(cluster.request("node-a", pool)), 10);
    return () => {
      clearInterval(timer);
      return Promise.all(made);
    };
  };

  /** Each request has exactly one block, and no two blocks share a network. */
  const assertFair = async (pool: string, requests: readonly BlockRequest[]) => {
    const answers = await cluster.allAnswered(requests);
    const blocks = await cluster.blocks(pool);
    assert.equal(new Set(blocks.map(({ ipv4 }) => ipv4)).size, blocks.length);
    assert.equal(blocks.length, requests.length);
    const names = new Map(blocks.map(({ metadata }) => [metadata.labels?.[LABEL_REQUEST], metadata.name]));
    for (const { metadata, status } of answers) assert.equal(status?.addressBlockName, names.get(metadata.uid ?? ""));
  };

  test("a leader that is stopped under load is followed by the standby within 2 s, and nothing is lost or doubled", async () => {
    await cluster.addPool("relay", { blockSizeBits: 0, subnets: [{ ipv4: "10.30.0.0/16" }] });
    await using stack = new AsyncDisposableStack();
    stack.use(await cluster.startController());
    await eventually("a leader", 10_000, holder);
    await using second = await cluster.startController();
    await eventually("the standby is ready", 5_000, async () => (await second.readiness()) === 200);
    assert.match(await second.metrics(), /^coil_controller_leader 0$/m);
    assert.doesNotMatch(await second.metrics(), /^coil_controller_max_blocks/m);
    const stop = stream("relay");
    await sleep(1_000);
    const leader = await holder();
    const started = performance.now();
    await stack.disposeAsync();
    await eventually("another leader", 5_000, async () => {
      const now = await holder();
      return now !== "" && now !== leader;
    });
    const took = performance.now() - started;
    await sleep(1_000);
    await assertFair("relay", await stop());
    assert.ok(took < 2_000, `the hand-over took ${Math.round(took)} ms`);
    assert.match(await second.metrics(), /^coil_controller_max_blocks\{pool="relay"\} 65536$/m);
  });

  test("a leader that is killed under load is followed when its lease runs out, and nothing is lost or doubled", async () => {
    await cluster.addPool("murder", { blockSizeBits: 0, subnets: [{ ipv4: "10.31.0.0/16" }] });
    const [metrics, health] = [await freePort(), await freePort()];
    await using victim = await startServerProcess({
      command: [
        "env",
        `KUBECONFIG=${await cluster.api.kubeconfigFor("system:serviceaccount:kube-system:coil-ipam-controller")}`,
        process.execPath,
        PROGRAM,
        `--metrics-addr=127.0.0.1:${metrics}`,
        `--health-addr=127.0.0.1:${health}`,
        "--zap-stacktrace-level=panic",
      ],
      cwd: cluster.api.directory,
      logFile: join(cluster.api.directory, "victim.log"),
    });
    await eventually("the victim leads", 10_000, async () => (await holder())?.startsWith(hostname()));
    await using _ = await cluster.startController();
    const stop = stream("murder");
    await sleep(1_500);
    assert.ok((await cluster.blocks("murder")).length > 0, await victim.tail());
    victim.signal("SIGKILL");
    await sleep(500);
    await assertFair("murder", await stop());
  });
});
