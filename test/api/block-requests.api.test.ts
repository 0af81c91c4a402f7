import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { BlockRequest } from "../../src/crd/block-request.ts";
import { LABEL_NODE, LABEL_POOL, LABEL_REQUEST } from "../../src/crd/names.ts";
import { addressBlocks, blockRequests } from "../../src/crd/resources.ts";
import { ConnectionError } from "../../src/kube/api-error.ts";
import type { KubeClient } from "../../src/kube/client.ts";
import { eventually } from "../support/eventually.ts";
import { createVanishingReply, pausedWatch } from "../support/faults.ts";
import { type IpamCluster, startIpamCluster } from "../support/ipam-cluster.ts";

const signal = new AbortController().signal;

/** Type, reason and message of the conditions, and the block. */
function answerOf({ status }: BlockRequest) {
  const conditions = status?.conditions?.map(({ type, status: value, reason, message }) => [type, value, reason, message]);
  return { block: status?.addressBlockName, conditions };
}

function refusal(reason: string, message: string) {
  const conditions = [
    ["Complete", "True", "completed with failure", "completed with failure"],
    ["Failed", "True", reason, message],
  ];
  return { block: undefined, conditions };
}

suite("coil-ipam-controller answers BlockRequests", () => {
  let cluster: IpamCluster;
  before(async () => {
    cluster = await startIpamCluster();
    await cluster.addNode("node-a");
    await cluster.addNode("node-b");
  });
  after(() => cluster[Symbol.asyncDispose]());

  test("a granted block has name, labels, finalizer, owner and networks as the reference makes them", async () => {
    await using _ = await cluster.startController();
    const pool = await cluster.addPool("dual", { blockSizeBits: 1, subnets: [{ ipv4: "10.2.0.0/29", ipv6: "fd02::200/125" }] });
    const request = await cluster.answered(await cluster.request("node-a", "dual"));
    assert.deepStrictEqual(answerOf(request), {
      block: "dual-0",
      conditions: [["Complete", "True", "allocated", "allocated a block dual-0"]],
    });
    const [block] = await cluster.blocks("dual");
    assert.deepStrictEqual(
      { ...block, metadata: { ...block?.metadata, uid: "", resourceVersion: "", creationTimestamp: "", managedFields: "" } },
      {
        apiVersion: "coil.cybozu.com/v2",
        kind: "AddressBlock",
        metadata: {
          name: "dual-0",
          generation: 1,
          labels: { [LABEL_POOL]: "dual", [LABEL_NODE]: "node-a", [LABEL_REQUEST]: request.metadata.uid },
          finalizers: ["coil.cybozu.com"],
          ownerReferences: [
            {
              apiVersion: "coil.cybozu.com/v2",
              kind: "AddressPool",
              name: "dual",
              uid: pool.metadata.uid,
              controller: true,
              blockOwnerDeletion: true,
            },
          ],
          ...{ uid: "", resourceVersion: "", creationTimestamp: "", managedFields: "" },
        },
        index: 0,
        ipv4: "10.2.0.0/31",
        ipv6: "fd02::200/127",
      },
    );
  });

  test("400 requests at once for two pools get 400 different blocks, the lowest indices", async () => {
    await using _ = await cluster.startController();
    await cluster.addPool("many-a", { blockSizeBits: 2, subnets: [{ ipv4: "10.3.0.0/20" }] });
    await cluster.addPool("many-b", { blockSizeBits: 0, subnets: [{ ipv6: "fd03::/112" }] });
    const requests = await Promise.all(
      Array.from({ length: 400 }, (_, n) => cluster.request(n % 3 ? "node-a" : "node-b", n % 2 ? "many-a" : "many-b")),
    );
    const answers = await cluster.allAnswered(requests);
    assert.equal(new Set(answers.map(({ status }) => status?.addressBlockName)).size, 400);
    for (const name of ["many-a", "many-b"]) {
      const blocks = await cluster.blocks(name);
      const indices = blocks.map(({ index }) => index).sort((a, b) => a - b);
      assert.deepStrictEqual(
        indices,
        Array.from({ length: 200 }, (_, n) => n),
      );
      assert.equal(new Set(blocks.map(({ metadata }) => metadata.labels?.[LABEL_REQUEST])).size, 200);
    }
  });

  test("an exhausted pool, an unknown pool and an unknown node are told at once", async () => {
    await using _ = await cluster.startController();
    await cluster.addPool("tiny", { blockSizeBits: 0, subnets: [{ ipv4: "10.4.0.0/32" }] });
    const first = await cluster.answered(await cluster.request("node-a", "tiny"));
    const answers = await Promise.all([
      cluster.request("node-b", "tiny"),
      cluster.request("node-a", "missing"),
      cluster.request("node-x", "tiny"),
    ]);
    const told = await Promise.all(answers.map((request) => cluster.answered(request, 1_000)));
    assert.deepStrictEqual(told.map(answerOf), [
      refusal("out of blocks", "pool tiny does not have free blocks"),
      refusal("no such pool", "pool missing does not exist"),
      refusal("no such node", "node node-x does not exist"),
    ]);
    // A block that comes back is there for the next request.
    const block = (await cluster.blocks("tiny"))[0];
    await cluster.client.patch(
      addressBlocks,
      { name: "tiny-0" },
      { type: "merge", body: { metadata: { finalizers: null } } },
      { signal },
    );
    await cluster.client.delete(addressBlocks, { name: "tiny-0" }, { signal });
    const next = await cluster.answered(await cluster.request("node-b", "tiny"), 1_000);
    assert.deepStrictEqual([first.status?.addressBlockName, next.status?.addressBlockName], ["tiny-0", "tiny-0"]);
    assert.notEqual((await cluster.blocks("tiny"))[0]?.metadata.uid, block?.metadata.uid);
  });

  test("blocks that the watch has not told of are skipped, without trying for ever", async () => {
    let creations = 0;
    const { wrap } = pausedWatch(addressBlocks);
    const counting = (client: KubeClient): KubeClient => ({
      ...wrap(client),
      create: (resource, object, options) => {
        creations++;
        return client.create(resource, object, options);
      },
    });
    await using _ = await cluster.startController({ wrap: counting });
    await cluster.addPool("stale", { blockSizeBits: 0, subnets: [{ ipv4: "10.5.0.0/28" }] });
    await cluster.answered(await cluster.request("node-a", "stale"));
    creations = 0;
    const byHand = (name: string, index: number, labels: Record<string, string>) =>
      cluster.client.create(addressBlocks, { metadata: { name, labels }, index, ipv4: `10.5.0.${index}/32` }, { signal });
    await byHand("stale-1", 1, { [LABEL_POOL]: "stale", [LABEL_NODE]: "node-b" });
    await byHand("stale-2", 2, { [LABEL_POOL]: "stale", [LABEL_NODE]: "node-b" });
    // In the way by its name only, by its addresses only.
    await byHand("stale-3", 13, { [LABEL_POOL]: "elsewhere", [LABEL_NODE]: "node-b" });
    await byHand("other", 4, { [LABEL_POOL]: "stale", [LABEL_NODE]: "node-b" });
    const answers = [];
    for (let n = 0; n < 3; n++) answers.push(await cluster.answered(await cluster.request("node-a", "stale"), 1_000));
    assert.deepStrictEqual(
      answers.map(({ status }) => status?.addressBlockName),
      ["stale-5", "stale-6", "stale-7"],
    );
    assert.ok(creations <= 5, `${creations} creations for 3 blocks`);
  });

  test("a lost reply to a creation leaves one block, also when the creation did not happen", async () => {
    await cluster.addPool("lossy", { blockSizeBits: 0, subnets: [{ ipv4: "10.6.0.0/24" }] });
    // Every creation of a block is first lost after it was done, then before, then goes well.
    const { wrap, lost } = createVanishingReply(addressBlocks, ["after", "before", "none"]);
    await using _ = await cluster.startController({ wrap });
    const requests = await Promise.all(Array.from({ length: 30 }, () => cluster.request("node-a", "lossy")));
    const answers = await cluster.allAnswered(requests);
    const blocks = await cluster.blocks("lossy");
    assert.ok(lost() >= 20, `${lost()} replies were lost`);
    assert.deepStrictEqual(
      blocks.map(({ metadata }) => metadata.name).sort(),
      answers.map(({ status }) => status?.addressBlockName).sort(),
    );
    assert.equal(blocks.length, 30);
    assert.equal(Math.max(...blocks.map(({ index }) => index)), 29);
  });

  test("a controller that dies between creation and answer leaves the answer to the next one", async () => {
    await cluster.addPool("torn", { blockSizeBits: 0, subnets: [{ ipv4: "10.7.0.0/24" }] });
    const mute = (client: KubeClient): KubeClient => ({
      ...client,
      updateStatus: () => Promise.reject(new ConnectionError("PUT", "ECONNRESET")),
    });
    const requests = await (async () => {
      await using _ = await cluster.startController({ wrap: mute });
      const made = await Promise.all(Array.from({ length: 10 }, () => cluster.request("node-a", "torn")));
      await eventually("10 blocks", 5_000, async () => (await cluster.blocks("torn")).length >= 10);
      return made;
    })();
    await using _ = await cluster.startController();
    const answers = await cluster.allAnswered(requests);
    const blocks = await cluster.blocks("torn");
    assert.equal(blocks.length, 10);
    const requestOf = new Map(blocks.map(({ metadata }) => [metadata.name, metadata.labels?.[LABEL_REQUEST]]));
    for (const { status, metadata } of answers) assert.equal(requestOf.get(status?.addressBlockName ?? ""), metadata.uid);
  });

  test("a request made while no controller ran, deleted and made again by its node, gets one block", async () => {
    await cluster.addPool("patient", { blockSizeBits: 0, subnets: [{ ipv4: "10.8.0.0/24" }] });
    const name = "req-patient-node-a";
    for (let attempt = 0; attempt < 5; attempt++) {
      if (attempt > 0) await cluster.client.delete(blockRequests, { name }, { signal });
      await cluster.request("node-a", "patient", name);
    }
    await using _ = await cluster.startController();
    const last = await cluster.client.get(blockRequests, { name }, { signal });
    assert.ok(last);
    await cluster.answered(last);
    assert.equal((await cluster.blocks("patient")).length, 1);
  });

  test("an API server that stands still for a while neither loses nor doubles a request", async () => {
    await using _ = await cluster.startController();
    await cluster.addPool("frozen", { blockSizeBits: 0, subnets: [{ ipv4: "10.9.0.0/24" }] });
    const requests = Promise.all(Array.from({ length: 60 }, () => cluster.request("node-a", "frozen")));
    cluster.api.freeze();
    setTimeout(() => cluster.api.thaw(), 6_000);
    const answers = await cluster.allAnswered(await requests);
    const names = answers.map(({ status }) => status?.addressBlockName);
    assert.equal(new Set(names).size, 60);
    assert.deepStrictEqual((await cluster.blocks("frozen")).map(({ metadata }) => metadata.name).sort(), names.sort());
  });
});
