import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { AddressPool } from "../../src/crd/address-pool.ts";
import { addressBlocks, addressPools } from "../../src/crd/resources.ts";
import { releaseBlock } from "../../src/reconcile/release-block.ts";
import { eventually } from "../support/eventually.ts";
import { type IpamCluster, type RunningController, startIpamCluster } from "../support/ipam-cluster.ts";

const signal = new AbortController().signal;

/** `status` of Ready, its reason, and the numbers. */
function standingOf(pool: AddressPool | undefined): string {
  const ready = pool?.status?.conditions?.find(({ type }) => type === "Ready");
  return `${ready?.status} ${ready?.reason} ${pool?.status?.allocatedBlocks}/${pool?.status?.maxBlocks}`;
}

suite("coil-ipam-controller keeps AddressPools", () => {
  let cluster: IpamCluster;
  let controller: RunningController;
  before(async () => {
    cluster = await startIpamCluster();
    await cluster.addNode("node-a");
    controller = await cluster.startController();
  });
  after(async () => {
    await controller[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  const standing = (name: string, wanted: string) =>
    eventually(`pool ${name} is ${wanted}`, 10_000, async () => standingOf(await cluster.pool(name)) === wanted);
  const remove = (name: string) => cluster.client.delete(addressPools, { name }, { signal });
  const gone = (name: string) => eventually(`pool ${name} is gone`, 5_000, async () => !(await cluster.pool(name)));
  const metric = async (name: string, pool: string) =>
    new RegExp(`^${name}\\{pool="${pool}"\\} (.*)$`, "m").exec(await controller.metrics())?.[1];

  test("a new pool gets the finalizer, a status and its metrics before it has a block", async () => {
    await cluster.addPool("fresh", { blockSizeBits: 2, subnets: [{ ipv4: "10.10.0.0/28" }, { ipv4: "10.10.1.0/28" }] });
    await standing("fresh", "True Granting 0/8");
    assert.deepStrictEqual((await cluster.pool("fresh"))?.metadata.finalizers, ["coil.cybozu.com"]);
    assert.deepStrictEqual(
      [await metric("coil_controller_max_blocks", "fresh"), await metric("coil_controller_allocated_blocks", "fresh")],
      ["8", "0"],
    );
    await cluster.answered(await cluster.request("node-a", "fresh"));
    assert.equal(await metric("coil_controller_allocated_blocks", "fresh"), "1");
    await standing("fresh", "True Granting 1/8");
  });

  test("an unused pool is gone soon after its deletion, and its metrics with it", async () => {
    await cluster.addPool("unused", { blockSizeBits: 0, subnets: [{ ipv4: "10.11.0.0/24" }] });
    await standing("unused", "True Granting 0/256");
    await remove("unused");
    await gone("unused");
    await eventually("no metrics", 1_000, async () => !(await controller.metrics()).includes('pool="unused"'));
  });

  test("a used pool stays until its last block is gone, and grants nothing meanwhile", async () => {
    await cluster.addPool("used", { blockSizeBits: 0, subnets: [{ ipv4: "10.12.0.0/24" }] });
    await cluster.allAnswered([await cluster.request("node-a", "used"), await cluster.request("node-a", "used")]);
    await remove("used");
    await standing("used", "False Terminating 2/256");
    const refused = await cluster.answered(await cluster.request("node-a", "used"));
    assert.deepStrictEqual(
      refused.status?.conditions?.map(({ type, reason, message }) => [type, reason, message]),
      [
        ["Complete", "completed with failure", "completed with failure"],
        ["Failed", "pool is being deleted", "pool used is being deleted"],
      ],
    );
    const [first, second] = await cluster.blocks("used");
    assert.ok(first && second);
    await releaseBlock(cluster.client, first, { signal });
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.ok(await cluster.pool("used"));
    await releaseBlock(cluster.client, second, { signal });
    await gone("used");
  });

  test("of two pools that overlap the younger grants nothing until the older is gone", async () => {
    await cluster.addPool("older", { blockSizeBits: 0, subnets: [{ ipv4: "10.13.0.0/24" }] });
    // Times in the API have whole seconds.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await cluster.addPool("a-younger", { blockSizeBits: 0, subnets: [{ ipv4: "10.13.0.0/16" }] });
    await standing("a-younger", "False Overlap 0/65536");
    const refused = await cluster.answered(await cluster.request("node-a", "a-younger"));
    assert.deepStrictEqual(refused.status?.conditions?.[1]?.reason, "pool overlaps another pool");
    assert.deepStrictEqual(
      refused.status?.conditions?.[1]?.message,
      "10.13.0.0/16 overlaps 10.13.0.0/24 of the older pool older",
    );
    const granted = await cluster.answered(await cluster.request("node-a", "older"));
    assert.equal(granted.status?.addressBlockName, "older-0");
    await remove("older");
    for (const block of await cluster.blocks("older")) await releaseBlock(cluster.client, block, { signal });
    await gone("older");
    await standing("a-younger", "True Granting 0/65536");
    const healed = await cluster.answered(await cluster.request("node-a", "a-younger"));
    assert.equal(healed.status?.addressBlockName, "a-younger-0");
  });

  test("a pool is granted from again after it was deleted and made anew, around blocks that are still there", async () => {
    const spec = { blockSizeBits: 0, subnets: [{ ipv4: "10.14.0.0/30" }] };
    await cluster.addPool("again", spec);
    // Of a pool long gone; its address is in use whatever its name is.
    const leftover = {
      metadata: { name: "leftover-0", labels: { "coil.cybozu.com/pool": "leftover" } },
      index: 0,
      ipv4: "10.14.0.1/32",
    };
    await cluster.client.create(addressBlocks, leftover, { signal });
    await standing("again", "True Granting 0/4");
    await remove("again");
    await gone("again");
    await cluster.addPool("again", spec);
    const answers = [];
    for (let n = 0; n < 4; n++) answers.push(await cluster.answered(await cluster.request("node-a", "again")));
    assert.deepStrictEqual(
      answers.map(({ status }) => status?.addressBlockName ?? status?.conditions?.[1]?.reason),
      ["again-0", "again-2", "again-3", "out of blocks"],
    );
  });

  test("a finalizer that somebody took off comes back", async () => {
    await cluster.addPool("stripped", { blockSizeBits: 0, subnets: [{ ipv4: "10.15.0.0/30" }] });
    await standing("stripped", "True Granting 0/4");
    const body = { metadata: { finalizers: null } };
    await cluster.client.patch(addressPools, { name: "stripped" }, { type: "merge", body }, { signal });
    await eventually("the finalizer", 2_000, async () => (await cluster.pool("stripped"))?.metadata.finalizers?.length === 1);
  });
});
