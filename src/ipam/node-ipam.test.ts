import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress, parseAddress } from "../ip/address.ts";
import { hostBits, parsePrefix } from "../ip/prefix.ts";
import type { Block } from "./block.ts";
import { createNodeIpam, type NodeIpam } from "./node-ipam.ts";

const OPTIONS = { holdMs: 30_000, startHoldMs: 5000, reuseDelayMs: 30_000 };

function block(name: string, ipv4: string, rest: Partial<Block> = {}): Block {
  const [pool, index] = name.split("-") as [string, string];
  const prefix = parsePrefix(ipv4);
  const size = 2 ** hostBits(prefix);
  return {
    ...{
      name,
      uid: `uid of ${name}`,
      pool,
      node: "n",
      index: Number(index),
      ipv4: prefix,
      size,
      reserved: false,
      terminating: false,
    },
    ...rest,
  };
}

function ipamWith(...blocks: Block[]): NodeIpam {
  const ipam = createNodeIpam(OPTIONS);
  ipam.setBlocks(blocks, 0);
  return ipam;
}

/** The IPv4 address given to the key, or what else happened. */
function give(ipam: NodeIpam, key: string, now = 0, pool = "a", lastResort = false): string {
  const result = ipam.allocate(key, pool, now, { lastResort });
  if (result.kind === "need-block") return result.lastResort ? "need-block (last resort)" : "need-block";
  return formatAddress(result.allocation.ipv4!);
}

test("allocate() gives addresses in order, the first and the last of the block included", () => {
  const ipam = ipamWith(block("a-0", "10.0.0.0/30"));
  const given = ["p", "q", "r", "s", "t"].map((key) => give(ipam, key));
  assert.deepEqual(given, ["10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "need-block"]);
});

test("allocate() gives a key the same address again", () => {
  const ipam = ipamWith(block("a-0", "10.0.0.0/30", { ipv6: parsePrefix("fd00::/126") }));
  const first = ipam.allocate("p", "a", 0);
  assert.deepEqual(first, {
    kind: "allocated",
    allocation: { key: "p", pool: "a", block: "a-0", ipv4: parseAddress("10.0.0.0"), ipv6: parseAddress("fd00::") },
    fresh: true,
  });
  assert.deepEqual(ipam.allocate("p", "a", 1), { ...first, fresh: false });
});

test("an address that was freed is the last one of its block to be used again", () => {
  const ipam = ipamWith(block("a-0", "10.0.0.0/27"));
  for (let i = 0; i < 10; i++) give(ipam, `old${i}`);
  ipam.free("old9", 1);
  ipam.free("old3", 2);
  const next = Array.from({ length: 24 }, (_, i) => give(ipam, `new${i}`, 3));
  assert.deepEqual(next.slice(0, 2), ["10.0.0.10", "10.0.0.11"]);
  assert.deepEqual(next.slice(21), ["10.0.0.31", "10.0.0.9", "need-block (last resort)"]);
  assert.equal(give(ipam, "new23", 30_002), "10.0.0.3");
});

test("after a restart the cursor is behind the pod that was set up last, and addresses freed before are the last", () => {
  const ipam = createNodeIpam(OPTIONS);
  for (const [key, address] of [
    ["p", "10.0.0.1"],
    ["q", "10.0.0.5"],
    ["r", "10.0.0.4"],
  ] as const) {
    assert.deepEqual(ipam.adopt({ key, pool: "a", ipv4: parseAddress(address) }), []);
  }
  ipam.recall(parseAddress("10.0.0.6"), -5);
  ipam.recall(parseAddress("10.0.0.0"), -1000);
  ipam.setBlocks([block("a-0", "10.0.0.0/29")], 0);
  assert.deepEqual(
    ["s", "t", "u", "v", "w"].map((key) => give(ipam, key)),
    [...["10.0.0.7", "10.0.0.2", "10.0.0.3", "10.0.0.0", "need-block (last resort)"]],
  );
});

test("the address of a block of one address is kept back while another block can be had", () => {
  const ipam = ipamWith(block("a-0", "10.0.0.0/32"));
  assert.equal(give(ipam, "p"), "10.0.0.0");
  ipam.free("p", 1000);
  assert.equal(give(ipam, "q", 1001), "need-block (last resort)");
  assert.equal(give(ipam, "q", 1001, "a", true), "10.0.0.0");
  ipam.free("q", 2000);
  assert.equal(give(ipam, "r", 32_000), "10.0.0.0", "long after");
});

test("two blocks of one address take turns", () => {
  const ipam = ipamWith(block("a-0", "10.0.0.0/32"), block("a-1", "10.0.0.1/32"));
  const given = Array.from({ length: 5 }, (_, i) => {
    const address = give(ipam, `p${i}`, i);
    ipam.free(`p${i}`, i);
    return address;
  });
  assert.deepEqual(given, ["10.0.0.0", "10.0.0.1", "10.0.0.0", "10.0.0.1", "10.0.0.0"]);
});

test("a block that comes back remembers what was freed of late", () => {
  const ipam = ipamWith(block("a-0", "10.0.0.0/31"));
  give(ipam, "p");
  ipam.free("p", 10);
  ipam.setBlocks([], 20);
  ipam.setBlocks([block("a-0", "10.0.0.0/31", { uid: "another life" })], 30);
  assert.deepEqual([give(ipam, "q", 30), give(ipam, "r", 30)], ["10.0.0.1", "need-block (last resort)"]);
});

test("an address that no pod ever had is not kept back", () => {
  const ipam = ipamWith(block("a-0", "10.0.0.0/32"));
  for (let i = 0; i < 1000; i++) {
    assert.equal(give(ipam, `p${i}`, i), "10.0.0.0");
    ipam.free(`p${i}`, i, { unused: true });
  }
  assert.equal(ipam.freeCount("a"), 1);
});

test("blocks in use are filled before empty ones, low indices first", () => {
  const ipam = ipamWith(block("a-2", "10.0.0.4/31"), block("a-1", "10.0.0.2/31"), block("a-0", "10.0.0.0/31"));
  ipam.adopt({ key: "x", pool: "a", ipv4: parseAddress("10.0.0.4") });
  assert.deepEqual(
    ["p", "q", "r"].map((key) => give(ipam, key)),
    ["10.0.0.5", "10.0.0.0", "10.0.0.1"],
  );
});

test("nothing is allocated from blocks that are reserved, deleted, being released, of another pool or of a pool being deleted", () => {
  const ipam = ipamWith(
    block("a-0", "10.0.0.0/31", { reserved: true }),
    block("a-1", "10.0.0.2/31", { terminating: true }),
    block("a-2", "10.0.0.4/31"),
    block("b-0", "10.0.1.0/31"),
  );
  assert.equal(ipam.beginRelease("a-2"), true);
  assert.equal(ipam.beginRelease("a-2"), false);
  assert.equal(give(ipam, "p"), "need-block");
  ipam.setTerminatingPools(new Set(["b"]));
  assert.equal(give(ipam, "p", 0, "b"), "need-block");
  ipam.setTerminatingPools(new Set());
  assert.equal(give(ipam, "p", 0, "b"), "10.0.1.0");
});

test("a reserved block is used when its label is taken away", () => {
  const ipam = ipamWith(block("a-0", "10.0.0.0/31", { reserved: true }));
  ipam.setBlocks([block("a-0", "10.0.0.0/31")], 1);
  assert.equal(give(ipam, "p"), "10.0.0.0");
});

test("a block that was given back is not used when a lagging cache shows it again", () => {
  const blocks = [block("a-0", "10.0.0.0/31")];
  const ipam = ipamWith(...blocks);
  ipam.beginRelease("a-0");
  ipam.setBlocks([], 1);
  ipam.setBlocks(blocks, 2);
  assert.equal(give(ipam, "p"), "need-block");
  assert.deepEqual(ipam.releasable(1e9), []);
  ipam.setBlocks([block("a-0", "10.0.0.0/31", { uid: "granted again" })], 3);
  assert.equal(give(ipam, "p"), "10.0.0.0");
});

test("an adopted address outside of every block is held, and finds its place when the block appears", () => {
  const ipam = ipamWith();
  ipam.adopt({ key: "p", pool: "a", ipv4: parseAddress("10.0.0.0") });
  assert.deepEqual(ipam.get("p"), { key: "p", pool: "a", ipv4: parseAddress("10.0.0.0") });
  ipam.setBlocks([block("a-0", "10.0.0.0/31")], 1);
  assert.equal(ipam.get("p")?.block, "a-0");
  assert.deepEqual([give(ipam, "q"), give(ipam, "r")], ["10.0.0.1", "need-block"]);
  ipam.free("p", 2);
  assert.equal(give(ipam, "r", 2, "a", true), "10.0.0.0");
});

test("adopt() tells when two keys have one address, and the address is free only when both are gone", () => {
  const ipam = ipamWith(block("a-0", "10.0.0.0/32"));
  const ipv4 = parseAddress("10.0.0.0");
  assert.deepEqual(ipam.adopt({ key: "p", pool: "a", ipv4 }), []);
  assert.deepEqual(ipam.adopt({ key: "q", pool: "a", ipv4 }), ["p"]);
  assert.deepEqual(ipam.adopt({ key: "q", pool: "a", ipv4 }), ["p"]);
  ipam.free("p", 0);
  assert.equal(give(ipam, "r", 1e9), "need-block");
  ipam.free("q", 0);
  assert.equal(give(ipam, "r", 1e9), "10.0.0.0");
});

test("free() of an unknown key does nothing", () => {
  const ipam = ipamWith(block("a-0", "10.0.0.0/31"));
  give(ipam, "p");
  assert.equal(ipam.free("q", 0), undefined);
  assert.equal(ipam.free("p", 0)?.key, "p");
  assert.equal(ipam.free("p", 0), undefined);
  assert.equal(ipam.freeCount("a"), 2);
});

test("an empty block is given back after a while, sooner after a start, at once when deleted, never when reserved", () => {
  const ipam = ipamWith(block("a-0", "10.0.0.0/31"));
  const names = (now: number) => ipam.releasable(now).map(({ name }) => name);
  assert.deepEqual([names(4999), names(5000), ipam.nextDeadline(0)], [[], ["a-0"], 5000]);
  give(ipam, "p");
  assert.deepEqual([names(1e9), ipam.nextDeadline(0)], [[], undefined]);
  ipam.free("p", 100_000);
  assert.deepEqual([names(129_999), names(130_000), ipam.nextDeadline(100_001)], [[], ["a-0"], 130_000]);
  ipam.setTerminatingPools(new Set(["a"]));
  assert.deepEqual(names(100_001), ["a-0"]);
  ipam.setTerminatingPools(new Set());
  ipam.setBlocks([block("a-0", "10.0.0.0/31", { terminating: true })], 100_002);
  assert.deepEqual(names(100_002), ["a-0"]);
  ipam.setBlocks([block("a-0", "10.0.0.0/31", { reserved: true })], 100_003);
  assert.deepEqual(names(1e9), []);
});

test("while pods come, one empty block is kept in stock when the others run low", () => {
  const ipam = ipamWith(block("a-0", "10.0.0.0/28"), block("a-1", "10.0.0.16/28"));
  for (let i = 0; i < 15; i++) give(ipam, `p${i}`, 40_000);
  assert.deepEqual(ipam.releasable(69_999), []);
  assert.deepEqual(
    ipam.releasable(70_000).map(({ name }) => name),
    ["a-1"],
  );
});

test("demand() orders what the waiting pods need, and one in stock when few addresses would remain", () => {
  const ipam = ipamWith(block("a-0", "10.0.0.0/27"), block("s-0", "10.0.9.0/32"));
  const demand = (waiting: number, blockSize = 32, pool = "a") => ipam.demand(pool, { waiting, blockSize });
  assert.deepEqual([demand(0), demand(1), demand(28), demand(29), demand(32), demand(100)], [0, 1, 1, 2, 2, 4]);
  assert.deepEqual([demand(0, 1, "s"), demand(1, 1, "s"), demand(7, 1, "s")], [0, 1, 7]);
  for (let i = 0; i < 28; i++) give(ipam, `p${i}`);
  assert.equal(demand(0), 0);
  give(ipam, "one more");
  assert.equal(demand(0), 1);
});

test("usage() tells the use of every block", () => {
  const ipam = ipamWith(block("b-1", "10.0.1.2/31", { reserved: true }), block("a-0", "10.0.0.0/31"));
  give(ipam, "p");
  assert.deepEqual(ipam.usage(), [
    { pool: "a", block: "a-0", index: 0, size: 2, used: 1, free: 1, state: "active" },
    { pool: "b", block: "b-1", index: 1, size: 2, used: 0, free: 0, state: "reserved" },
  ]);
});

test("a large block costs nothing for the addresses that nobody uses", () => {
  const ipam = ipamWith(block("a-0", "10.0.0.0/8"));
  const started = performance.now();
  for (let i = 0; i < 20_000; i++) give(ipam, `p${i}`);
  assert.ok(performance.now() - started < 2000);
});
