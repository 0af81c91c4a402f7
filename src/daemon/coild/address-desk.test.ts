import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Fault, pool, SimulatedBlocks } from "../../../test/support/simulated-blocks.ts";
import { formatAddress } from "../../ip/address.ts";

/** Starts all and gives what they came to, once the cluster has worked for a while. */
async function allocateAll(cluster: SimulatedBlocks, count: number, seconds = 2): Promise<string[]> {
  const results = Promise.all(Array.from({ length: count }, (_, i) => cluster.allocate(`p${i}`)));
  await cluster.run(seconds);
  return await results;
}

test("the first pod of a node gets an address from a block that is asked for once", async () => {
  const cluster = new SimulatedBlocks();
  assert.deepEqual(await allocateAll(cluster, 1), ["10.0.0.0"]);
  assert.deepEqual(cluster.writes, ["create req-default-n1", "delete req-default-n1"]);
  assert.deepEqual(await allocateAll(cluster, 5), ["10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"]);
  assert.equal(cluster.writes.length, 2, "nothing is written for addresses of a block that is there");
});

test("a hundred pods at once ask for as many blocks as they need, at once", async () => {
  const cluster = new SimulatedBlocks();
  const results = Promise.all(Array.from({ length: 100 }, (_, i) => cluster.allocate(`p${i}`)));
  await cluster.clock.advance(0);
  assert.deepEqual(
    [...cluster.requests.keys()],
    ["req-default-n1", "req-default-n1-s0", "req-default-n1-s1", "req-default-n1-s2"],
  );
  await cluster.run(1);
  assert.equal(new Set(await results).size, 100);
  assert.equal(cluster.requests.size, 0);
});

test("an exhausted pool is told to all at once, with the reason, and not asked for again for a second", async () => {
  const cluster = new SimulatedBlocks({ blockSizeBits: 1, subnet: "10.0.0.0/30" });
  const results = await allocateAll(cluster, 6, 1);
  assert.deepEqual(results.slice(0, 4), ["10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3"]);
  for (const result of results.slice(4)) assert.match(result, /^the pool has no free block \(node n1 holds/);
  await cluster.run(1);
  const late = cluster.allocate("late");
  await cluster.clock.advance(0);
  cluster.control();
  cluster.tell();
  assert.equal(await late, "the pool has no free block (node n1 holds 2 blocks, 4 of 4 addresses in use)");
  await cluster.clock.advance(0);
  const before = cluster.writes.length;
  await Promise.all(Array.from({ length: 50 }, (_, i) => cluster.allocate(`storm${i}`)));
  await cluster.clock.advance(0);
  assert.equal(cluster.writes.length, before);
  cluster.desk.free("p0");
  assert.equal(await cluster.allocate("lucky"), "10.0.0.0", "an address freed a moment ago is better than none");
});

test("pods whose blocks are still coming are not told that the pool is full", async () => {
  const cluster = new SimulatedBlocks({ blockSizeBits: 0, subnet: "10.0.0.0/31" });
  const results = Promise.all(["p", "q", "r"].map((key) => cluster.allocate(key)));
  await cluster.clock.advance(0);
  cluster.control();
  cluster.tell({ blocks: 0 });
  await cluster.clock.advance(100);
  cluster.tell();
  const message = "the pool has no free block (node n1 holds no block)";
  assert.deepEqual(await results, ["10.0.0.0", "10.0.0.1", message]);
});

test("each waiting pod has its own deadline", async () => {
  const cluster = new SimulatedBlocks();
  const first = cluster.allocate("p");
  await cluster.clock.advance(6_000);
  const second = cluster.allocate("q");
  await cluster.clock.advance(4_000);
  const message = "no block was granted within 10 s: is coil-ipam-controller running? (node n1 holds no block)";
  assert.equal(await first, message);
  await cluster.run(1);
  assert.equal(await second, "10.0.0.0");
});

test("T3: a controller that is down for a minute while a pod tries again and again grants one block in the end", async () => {
  const cluster = new SimulatedBlocks();
  for (let i = 0; i < 6; i++) {
    const attempt = cluster.allocate(`sandbox${i}`);
    await cluster.clock.advance(10_000);
    assert.match(await attempt, /^no block was granted within 10 s/);
  }
  assert.equal(cluster.requests.size, 1);
  const attempt = cluster.allocate("sandbox7");
  await cluster.run(1);
  assert.equal(await attempt, "10.0.0.0");
  assert.equal(cluster.blocks.size, 1);
  cluster.desk.free("sandbox7");
  await cluster.run(31);
  assert.deepEqual([cluster.blocks.size, cluster.requests.size], [0, 0]);
});

test("a pod that goes away while it waits gets nothing, and its order is withdrawn after a while", async () => {
  const cluster = new SimulatedBlocks();
  const caller = new AbortController();
  const result = cluster.allocate("p", { signal: caller.signal });
  await cluster.clock.advance(10);
  caller.abort(new Error("gone"));
  assert.equal(await result, "gone");
  await cluster.clock.advance(61_000);
  assert.deepEqual([cluster.requests.size, cluster.ipam.allocations()], [0, []]);
});

test("T17: starting and stopping one pod a hundred times takes two requests at most, for blocks of any size", async () => {
  for (const blockSizeBits of [5, 1, 0]) {
    const cluster = new SimulatedBlocks({ blockSizeBits });
    for (let i = 0; i < 100; i++) {
      const result = cluster.allocate(`p${i}`);
      await cluster.run(1);
      assert.match(await result, /^10\.0\.0\./);
      cluster.desk.free(`p${i}`);
    }
    const requests = cluster.writes.filter((write) => write.startsWith("create"));
    assert.ok(requests.length <= 2, `${requests.length} requests for blocks of 2^${blockSizeBits}`);
  }
});

test("T5: a thousand pods that fail after they got an address use one block, and leave nothing", async () => {
  for (const blockSizeBits of [5, 0]) {
    const cluster = new SimulatedBlocks({ blockSizeBits });
    for (let i = 0; i < 1000; i++) {
      const result = cluster.allocate(`p${i}`);
      if (i === 0) await cluster.run(1);
      await result;
      cluster.desk.free(`p${i}`, { unused: true });
    }
    assert.deepEqual([cluster.blocks.size, cluster.ipam.allocations()], [1, []]);
  }
});

test("T8: in a pool of single addresses the one freed last is not given again while there are others", async () => {
  const cluster = new SimulatedBlocks({ blockSizeBits: 0, subnet: "10.0.0.0/27" });
  const [first] = await allocateAll(cluster, 1);
  cluster.desk.free("p0");
  const next = await Promise.all(
    Array.from({ length: 31 }, async (_, i) => {
      const result = cluster.allocate(`q${i}`);
      return result;
    }).concat(cluster.run(3).then(() => "")),
  );
  assert.equal(next.slice(0, 31).includes(first as string), false);
  assert.equal(new Set(next.slice(0, 31)).size, 31);
  const last = cluster.allocate("last");
  await cluster.run(1);
  assert.equal(await last, first, "when nothing else is left");
});

test("a pool that is being deleted gives nothing, unknown pools neither, and who waits is told", async () => {
  const cluster = new SimulatedBlocks();
  const waiting = cluster.allocate("p");
  await cluster.clock.advance(10);
  const terminating = pool("default", 5, "10.0.0.0/24");
  terminating.metadata.deletionTimestamp = "2026-01-01T00:00:00Z";
  cluster.setPool("default", terminating);
  assert.equal(await waiting, "the pool is being deleted");
  assert.equal(await cluster.allocate("q"), "the pool is being deleted");
  cluster.setPool("default", undefined);
  assert.equal(await cluster.allocate("q"), "there is no such pool");
  assert.equal(await cluster.allocate("q", { pool: "typo" }), "there is no such pool");
  await cluster.run(1);
  assert.equal(cluster.requests.size, 0);
});

test("T12: no address comes from a block whose pool is being deleted, and the block goes when it is empty", async () => {
  const cluster = new SimulatedBlocks();
  await allocateAll(cluster, 1);
  const terminating = pool("default", 5, "10.0.0.0/24");
  terminating.metadata.deletionTimestamp = "2026-01-01T00:00:00Z";
  cluster.setPool("default", terminating);
  assert.equal(await cluster.allocate("q"), "the pool is being deleted");
  assert.equal(await cluster.allocate("p0"), "10.0.0.0", "what a pod has it keeps");
  await cluster.run(1);
  assert.equal(cluster.blocks.size, 1);
  cluster.desk.free("p0");
  await cluster.run(1);
  assert.equal(cluster.blocks.size, 0);
});

test("requests of others and of earlier lives are neither used nor touched", async () => {
  const cluster = new SimulatedBlocks();
  const other = { metadata: { name: "req-default-n1", uid: "old" }, spec: { poolName: "default", nodeName: "n1" } };
  cluster.requests.set("req-default-n1", other);
  const result = cluster.allocate("p");
  await cluster.clock.advance(10);
  assert.deepEqual([...cluster.requests.keys()], ["req-default-n1", "req-default-n1-s0"]);
  await cluster.run(1);
  assert.match(await result, /^10\.0\.0\./);
  assert.deepEqual([...cluster.requests.keys()], ["req-default-n1"]);
});

test("a request whose reply was lost is found again instead of asked for twice", async () => {
  for (const newsFirst of [true, false]) {
    const cluster = new SimulatedBlocks();
    cluster.fault = "reply is lost";
    const result = cluster.allocate("p");
    await cluster.clock.advance(1);
    if (newsFirst) cluster.tell();
    await cluster.clock.advance(1_000);
    await cluster.run(1);
    assert.equal(await result, "10.0.0.0");
    assert.deepEqual(cluster.writes, ["create req-default-n1", "delete req-default-n1"]);
  }
});

test("a request that somebody deletes is made again", async () => {
  const cluster = new SimulatedBlocks();
  const result = cluster.allocate("p");
  await cluster.clock.advance(10);
  cluster.tell();
  const [request] = cluster.requests.values();
  cluster.requests.clear();
  cluster.desk.requestDeleted(request!);
  await cluster.run(1);
  assert.equal(await result, "10.0.0.0");
});

test("a request that vanished unseen is noticed, and those who come later are served", async () => {
  const cluster = new SimulatedBlocks();
  const first = cluster.allocate("p");
  await cluster.clock.advance(10);
  cluster.tell();
  cluster.requests.clear();
  await cluster.clock.advance(31_000);
  assert.match(await first, /^no block was granted/);
  const second = cluster.allocate("q");
  await cluster.run(1);
  assert.equal(await second, "10.0.0.0");
});

test("a block is kept in stock when addresses run low, and given back when no more pods come", async () => {
  const cluster = new SimulatedBlocks({ blockSizeBits: 4 });
  await allocateAll(cluster, 15);
  await cluster.run(1);
  assert.equal(cluster.blocks.size, 2);
  await cluster.run(40);
  assert.equal(cluster.blocks.size, 1);
  await cluster.run(40);
  assert.equal(cluster.writes.filter((write) => write.startsWith("create")).length, 2, "not asked for again");
});

test("without a Node object nothing is allocated", async () => {
  const cluster = new SimulatedBlocks();
  cluster.nodeUid = undefined;
  assert.equal(await cluster.allocate("p"), "there is no Node object n1");
});

type Step = readonly [name: string, run: (cluster: SimulatedBlocks, pods: Pods) => unknown];

/** Pods that were started, and what became of them. */
class Pods {
  readonly callers = new Map<string, AbortController>();
  readonly results = new Map<string, string>();

  start(cluster: SimulatedBlocks, key: string): void {
    if (this.callers.has(key)) return;
    const caller = new AbortController();
    this.callers.set(key, caller);
    cluster.desk.allocate({ key, pool: "default" }, { signal: caller.signal }).then(
      () => {
        this.results.set(key, "has an address");
        // As the daemon does: the caller may have gone in the same moment.
        if (caller.signal.aborted) this.stop(cluster, key, true);
      },
      () => this.callers.delete(key),
    );
  }

  stop(cluster: SimulatedBlocks, key: string, unused: boolean): void {
    if (!this.results.delete(key)) return;
    this.callers.delete(key);
    cluster.desk.free(key, { unused });
  }
}

const key = fc.nat({ max: 9 }).map((n) => `p${n}`);
const steps: fc.Arbitrary<Step>[] = [
  key.map((k) => [`start ${k}`, (c, pods) => pods.start(c, k)]),
  key.map((k) => [`start ${k}`, (c, pods) => pods.start(c, k)]),
  key.map((k) => [`abort ${k}`, (_, pods) => pods.callers.get(k)?.abort(new Error("gone"))]),
  fc.tuple(key, fc.boolean()).map(([k, unused]) => [`stop ${k}`, (c, pods) => pods.stop(c, k, unused)]),
  fc.integer({ min: 1, max: 3 }).map((n) => [`controller ${n}`, (c) => c.control(n)]),
  fc.nat({ max: 3 }).map((n) => [`tell of ${n} requests`, (c) => c.tell({ requests: n, blocks: 0 })]),
  fc.nat({ max: 3 }).map((n) => [`tell of ${n} blocks`, (c) => c.tell({ requests: 0, blocks: n })]),
  fc.constantFrom(1, 100, 1_500, 12_000, 40_000).map((ms) => [`${ms} ms`, (c) => c.clock.advance(ms)]),
  fc.constantFrom<Fault>("never arrives", "reply is lost", "refused").map((fault) => [
    `next call ${fault}`,
    (c) => {
      c.fault = fault;
    },
  ]),
  fc.boolean().map((down) => [
    `API server ${down ? "down" : "up"}`,
    (c) => {
      c.down = down;
    },
  ]),
  fc.constant<Step>(["release", (c) => c.release()]),
];

test("whatever fails, lags or goes away: no address twice, everybody gets an answer, nothing is left", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(...steps), { maxLength: 50 }),
      fc.constantFrom(0, 1, 3),
      fc.boolean(),
      async (script, blockSizeBits, prefetch) => {
        const cluster = new SimulatedBlocks({ blockSizeBits, subnet: "10.0.0.0/29", prefetch });
        const pods = new Pods();
        for (const [, run] of script) {
          await run(cluster, pods);
          await cluster.clock.advance(0);
          const given = cluster.ipam.allocations().map(({ ipv4 }) => formatAddress(ipv4!));
          assert.equal(new Set(given).size, given.length, "an address was given twice");
          for (const { key, block } of cluster.ipam.allocations()) {
            assert.ok(pods.callers.has(key), `${key} has an address and nobody knows`);
            assert.ok(cluster.blocks.has(block ?? ""), `${key} has an address of ${block}, which is not ours any more`);
          }
        }
        cluster.down = false;
        cluster.fault = "none";
        await cluster.run(45);
        for (const k of pods.callers.keys()) assert.ok(pods.results.has(k), `${k} still waits`);
        const need = Math.ceil(pods.results.size / 2 ** blockSizeBits) + (prefetch && blockSizeBits === 3 ? 1 : 0);
        if (blockSizeBits === 0) assert.ok(cluster.blocks.size <= need + 1);
        for (const k of [...pods.results.keys()]) pods.stop(cluster, k, false);
        await cluster.run(45);
        assert.deepEqual([[...cluster.blocks.keys()], [...cluster.requests.keys()]], [[], []]);
        cluster.ended.abort();
      },
    ),
    { numRuns: 120 },
  );
});

test("T14: 500 pods come and go 10^5 times while blocks come and go: no address twice", async () => {
  const cluster = new SimulatedBlocks({ blockSizeBits: 3, subnet: "10.0.0.0/22" });
  const holders = new Map<string, number>();
  let operations = 0;
  /** One pod after the other in one place; `pause` makes the places drift apart. */
  const live = async (place: number) => {
    for (let n = 0; operations < 100_000; n++) {
      const key = `place ${place}, pod ${n}`;
      operations += 2;
      const { ipv4 } = await cluster.desk.allocate({ key, pool: "default" }, { signal: cluster.ended.signal });
      const address = formatAddress(ipv4!);
      assert.equal(holders.get(address), undefined, `${address} was given to places ${holders.get(address)} and ${place}`);
      holders.set(address, place);
      if ((place + n) % 3 === 0) await cluster.clock.sleep(1 + ((place * 7 + n) % 50_000), { signal: cluster.ended.signal });
      holders.delete(address);
      cluster.desk.free(key, { unused: n % 5 === 0 });
    }
  };
  const pods = Promise.all(Array.from({ length: 500 }, (_, place) => live(place)));
  let living = true;
  void pods.finally(() => {
    living = false;
  });
  for (let i = 0; living; i++) {
    cluster.control(3);
    cluster.tell(i % 2 === 0 ? { requests: 2 } : { blocks: 2 });
    cluster.release();
    await cluster.clock.advance(500);
  }
  await pods;
  await cluster.run(60);
  assert.deepEqual([cluster.ipam.allocations(), [...cluster.blocks.keys()], [...cluster.requests.keys()]], [[], [], []]);
});
