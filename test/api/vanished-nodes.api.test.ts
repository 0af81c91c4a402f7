import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { LABEL_POOL } from "../../src/crd/names.ts";
import { addressBlocks, blockRequests } from "../../src/crd/resources.ts";
import { nodes } from "../../src/kube/resources.ts";
import { eventually } from "../support/eventually.ts";
import { pausedWatch } from "../support/faults.ts";
import { type IpamCluster, startIpamCluster } from "../support/ipam-cluster.ts";

const signal = new AbortController().signal;

suite("coil-ipam-controller takes back what vanished nodes leave behind", () => {
  let cluster: IpamCluster;
  before(async () => {
    cluster = await startIpamCluster();
  });
  after(() => cluster[Symbol.asyncDispose]());

  const removeNode = (name: string) => cluster.client.delete(nodes, { name }, { signal });
  const free = (pool: string, timeoutMs: number) =>
    eventually(`no block of ${pool}`, timeoutMs, async () => (await cluster.blocks(pool)).length === 0);
  /** A pool with blocks of a node of its own. */
  const occupy = async (name: string, ipv4: string, blocks: number) => {
    await cluster.addNode(name);
    await cluster.addPool(name, { blockSizeBits: 0, subnets: [{ ipv4 }] });
    await cluster.allAnswered(await Promise.all(Array.from({ length: blocks }, () => cluster.request(name, name))));
  };

  test("its blocks and requests are gone soon after the Node, and the blocks of others stay", async () => {
    await using controller = await cluster.startController();
    await occupy("gone", "10.20.0.0/24", 40);
    await occupy("stays", "10.21.0.0/24", 3);
    await removeNode("gone");
    await free("gone", 10_000);
    await eventually("only requests of others", 5_000, async () => {
      const { items } = await cluster.client.list(blockRequests, {}, { signal });
      return items.length === 3 && items.every(({ spec }) => spec.nodeName === "stays");
    });
    assert.equal((await cluster.blocks("stays")).length, 3);
    assert.match(await controller.metrics(), /^coil_controller_orphan_blocks_freed_total 40$/m);
  });

  test("a Node that comes back within the grace keeps its blocks", async () => {
    await using _ = await cluster.startController({ vanishedNodeGraceMs: 1_500 });
    await occupy("flapping", "10.22.0.0/24", 5);
    await removeNode("flapping");
    await sleep(500);
    await cluster.addNode("flapping");
    await sleep(2_500);
    assert.equal((await cluster.blocks("flapping")).length, 5);
  });

  test("a watch that does not tell of a new Node costs the node nothing", async () => {
    await using _ = await cluster.startController({ wrap: pausedWatch(nodes).wrap });
    await occupy("unseen", "10.23.0.0/24", 2);
    await sleep(1_500);
    assert.equal((await cluster.blocks("unseen")).length, 2);
  });

  test("what vanished while no controller ran is taken back at its start, blocks without a node too", async () => {
    {
      await using _ = await cluster.startController();
      await occupy("meanwhile", "10.24.0.0/24", 3);
    }
    await removeNode("meanwhile");
    const nobodys = { metadata: { name: "meanwhile-9", labels: { [LABEL_POOL]: "meanwhile" } }, index: 9, ipv4: "10.24.0.9/32" };
    await cluster.client.create(addressBlocks, nobodys, { signal });
    await using _ = await cluster.startController();
    await free("meanwhile", 10_000);
  });

  test("a block that appears later for a Node that is no more is taken back too", async () => {
    await using _ = await cluster.startController();
    await cluster.addPool("late", { blockSizeBits: 0, subnets: [{ ipv4: "10.25.0.0/24" }] });
    const labels = { [LABEL_POOL]: "late", "coil.cybozu.com/node": "never-was" };
    const finalizers = ["coil.cybozu.com"];
    await cluster.client.create(
      addressBlocks,
      { metadata: { name: "late-0", labels, finalizers }, index: 0, ipv4: "10.25.0.0/32" },
      { signal },
    );
    await free("late", 10_000);
  });
});
