import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Address, addressOf, formatAddress } from "../ip/address.ts";
import { parsePrefix } from "../ip/prefix.ts";
import { type Allocation, addressesOf } from "./allocation.ts";
import type { Block } from "./block.ts";
import { createNodeIpam, type NodeIpam } from "./node-ipam.ts";

const OPTIONS = { holdMs: 30, startHoldMs: 5, reuseDelayMs: 20 };

function block(name: string, ipv4: string, ipv6: string | undefined, size: number): Block {
  const [pool, index] = name.split("-") as [string, string];
  const flags = { reserved: false, terminating: false };
  const networks = { ipv4: parsePrefix(ipv4), ...(ipv6 && { ipv6: parsePrefix(ipv6) }) };
  return { name, uid: name, pool, node: "n", index: Number(index), size, ...networks, ...flags };
}

/** A dual-stack pool, a pool of single addresses, and a pool that wrongly shares addresses with the first. */
const BLOCKS: readonly Block[] = [
  block("a-0", "10.0.0.0/30", "fd00::/126", 4),
  block("a-1", "10.0.0.4/30", "fd00::4/126", 4),
  block("a-2", "10.0.0.8/30", "fd00::8/126", 4),
  block("b-0", "10.0.1.0/32", undefined, 1),
  block("b-1", "10.0.1.1/32", undefined, 1),
  block("b-2", "10.0.1.2/32", undefined, 1),
  block("c-0", "10.0.0.2/31", undefined, 2),
];

/** What must be so, kept in the plainest way. */
interface Model {
  now: number;
  blocks: Block[];
  readonly released: Set<string>;
  terminatingPools: Set<string>;
  readonly allocations: Map<string, Allocation>;
  readonly freedAt: Map<string, number>;
}
interface Real {
  ipam: NodeIpam;
}

const text = (address: Address) => formatAddress(address);
const held = (model: Model) => new Set([...model.allocations.values()].flatMap(addressesOf).map(text));

/** The addresses of one offset. */
function addressesAt(of: Block, offset: number): Address[] {
  return [of.ipv4, of.ipv6].flatMap((p) => (p ? [addressOf(p.address.family, p.address.value + BigInt(offset))] : []));
}

interface FreeSlot {
  readonly block: Block;
  readonly used: boolean;
  readonly text: string;
  /** -Infinity if it may be given at once. */
  readonly coolingSince: number;
}

/** Every address that may be given out, with what the rules of preference need. */
function freeSlots(model: Model, pool: string): FreeSlot[] {
  const taken = held(model);
  const active = model.blocks.filter(
    (b) => b.pool === pool && !b.reserved && !b.terminating && !model.released.has(b.uid) && !model.terminatingPools.has(pool),
  );
  return active.flatMap((b) => {
    const slots = Array.from({ length: b.size }, (_, offset) => addressesAt(b, offset));
    const isTaken = (addresses: Address[]) => addresses.some((address) => taken.has(text(address)));
    return slots
      .filter((addresses) => !isTaken(addresses))
      .map((addresses) => {
        const freedAt = Math.max(...addresses.map((address) => model.freedAt.get(text(address)) ?? -Infinity));
        const coolingSince = freedAt + OPTIONS.reuseDelayMs > model.now ? freedAt : -Infinity;
        return { block: b, used: slots.some(isTaken), text: text(addresses[0]!), coolingSince };
      });
  });
}

type Command = fc.Command<Model, Real>;
const command = (name: string, run: (model: Model, real: Real) => void): Command => ({
  check: () => true,
  run,
  toString: () => name,
});

function allocate(key: string, pool: string, lastResort: boolean): Command {
  return command(`allocate(${key}, ${pool}${lastResort ? ", last resort" : ""})`, (model, { ipam }) => {
    const before = model.allocations.get(key);
    const free = freeSlots(model, pool);
    const result = ipam.allocate(key, pool, model.now, { lastResort });
    if (before) {
      assert.ok(result.kind === "allocated" && !result.fresh);
      assert.deepEqual(addressesOf(result.allocation).map(text), addressesOf(before).map(text));
      return;
    }
    const ready = free.filter(({ coolingSince }) => coolingSince === -Infinity);
    if (result.kind === "need-block") {
      assert.ok(free.length === 0 || (ready.length === 0 && free.length === 1 && !lastResort), "an address was free");
      assert.equal(result.lastResort, free.length > 0);
      return;
    }
    assert.ok(result.fresh);
    const addresses = addressesOf(result.allocation);
    const slot = free.find((candidate) => candidate.text === text(addresses[0]!));
    assert.ok(slot, `${text(addresses[0]!)} was not free in pool ${pool}`);
    assert.equal(result.allocation.block, slot.block.name);
    assert.equal(new Set(addresses.map(({ value }) => value & 0xffn)).size, 1, "both families have one offset");
    assert.equal(addresses.length, slot.block.ipv6 ? 2 : 1);
    const preferred = ready.filter(({ used }) => used).concat(ready.filter(({ used }) => !used));
    if (preferred[0]) assert.equal(slot.block.name, preferred[0].block.name, "used blocks first, then low indices");
    if (ready.length > 0) assert.equal(slot.coolingSince, -Infinity, "no address of late while others are free");
    else assert.equal(slot.coolingSince, Math.min(...free.map(({ coolingSince }) => coolingSince)), "freed longest ago");
    model.allocations.set(key, result.allocation);
  });
}

function free(key: string, unused: boolean): Command {
  return command(`free(${key}${unused ? ", unused" : ""})`, (model, { ipam }) => {
    const before = model.allocations.get(key);
    assert.equal(ipam.free(key, model.now, { unused })?.key, before?.key);
    model.allocations.delete(key);
    if (before && !unused) for (const address of addressesOf(before)) model.freedAt.set(text(address), model.now);
  });
}

function setBlocks(mask: readonly ("absent" | "active" | "reserved" | "terminating")[]): Command {
  return command(`setBlocks(${mask})`, (model, { ipam }) => {
    model.blocks = BLOCKS.flatMap((b, i) => {
      const state = mask[i];
      return state === "absent" ? [] : [{ ...b, reserved: state === "reserved", terminating: state === "terminating" }];
    });
    ipam.setBlocks([...model.blocks].reverse(), model.now);
  });
}

function adopt(key: string, address: string): Command {
  return command(`adopt(${key}, ${address})`, (model, { ipam }) => {
    if (model.allocations.has(key)) return;
    const ipv4 = parsePrefix(`${address}/32`).address;
    const others = [...model.allocations.values()].filter((a) => a.ipv4 && text(a.ipv4) === address).map((a) => a.key);
    const allocation = { key, pool: "a", ipv4 };
    assert.deepEqual(ipam.adopt(allocation).sort(), others.sort());
    model.allocations.set(key, allocation);
  });
}

function beginRelease(name: string): Command {
  return command(`beginRelease(${name})`, (model, { ipam }) => {
    const b = model.blocks.find((candidate) => candidate.name === name);
    const taken = held(model);
    const empty =
      b &&
      !Array.from({ length: b.size }, (_, i) => addressesAt(b, i))
        .flat()
        .some((a) => taken.has(text(a)));
    const expected = b !== undefined && empty === true && !b.reserved && !model.released.has(b.uid);
    assert.equal(ipam.beginRelease(name), expected);
    if (expected) model.released.add(name);
  });
}

/** A new daemon: the kernel tells who has what, the log what was freed, the API which blocks there are, in any order. */
function restart(blocksFirst: boolean): Command {
  return command(`restart(${blocksFirst ? "blocks first" : "pods first"})`, (model, real) => {
    const ipam = createNodeIpam(OPTIONS);
    model.released.clear();
    if (blocksFirst) ipam.setBlocks(model.blocks, model.now);
    for (const { block: _, ...allocation } of model.allocations.values()) ipam.adopt(allocation);
    for (const [address, freedAt] of model.freedAt)
      ipam.recall(parsePrefix(`${address}/${address.includes(":") ? 128 : 32}`).address, freedAt);
    ipam.setTerminatingPools(model.terminatingPools);
    if (!blocksFirst) ipam.setBlocks(model.blocks, model.now);
    real.ipam = ipam;
  });
}

/** What holds after every command. */
function checkAll(model: Model, { ipam }: Real): void {
  const keys = ipam.allocations().map(({ key }) => key);
  assert.deepEqual(new Set(keys), new Set(model.allocations.keys()));
  for (const pool of ["a", "b", "c"])
    assert.equal(ipam.freeCount(pool), freeSlots(model, pool).length, `free addresses of ${pool}`);
  const taken = held(model);
  for (const { name, reserved } of ipam.releasable(model.now)) {
    const b = model.blocks.find((candidate) => candidate.name === name)!;
    assert.ok(!reserved && !model.released.has(b.uid));
    for (let i = 0; i < b.size; i++)
      assert.ok(
        addressesAt(b, i).every((address) => !taken.has(text(address))),
        `${name} is in use`,
      );
  }
  const deadline = ipam.nextDeadline(model.now);
  if (deadline !== undefined) assert.ok(ipam.releasable(deadline).length > ipam.releasable(deadline - 1).length);
}

const key = fc.constantFrom("p", "q", "r", "s", "t", "u", "v");
const state = fc.constantFrom("absent", "active", "active", "active", "reserved", "terminating");
const commands = fc.commands<Model, Real>(
  [
    fc.tuple(key, fc.constantFrom("a", "a", "b", "c", "none"), fc.boolean()).map((args) => allocate(...args)),
    fc.tuple(key, fc.constantFrom("a", "b"), fc.constant(false)).map((args) => allocate(...args)),
    fc.tuple(key, fc.boolean()).map((args) => free(...args)),
    fc.tuple(key, fc.constant(false)).map((args) => free(...args)),
    fc.array(state, { minLength: BLOCKS.length, maxLength: BLOCKS.length }).map((mask) => setBlocks(mask as never)),
    fc.tuple(key, fc.constantFrom("10.0.0.0", "10.0.0.3", "10.0.0.5", "10.0.1.1", "10.9.9.9")).map((args) => adopt(...args)),
    fc.constantFrom(...BLOCKS.map(({ name }) => name)).map(beginRelease),
    fc.integer({ min: 1, max: 40 }).map((ms) =>
      command(`${ms} ms pass`, (model) => {
        model.now += ms;
      }),
    ),
    fc.subarray(["a", "b"]).map((pools) =>
      command(`setTerminatingPools(${pools})`, (model, { ipam }) => {
        model.terminatingPools = new Set(pools);
        ipam.setTerminatingPools(model.terminatingPools);
      }),
    ),
    fc.boolean().map(restart),
  ].map((arbitrary) =>
    arbitrary.map((inner) =>
      command(inner.toString(), (model, real) => {
        inner.run(model, real);
        checkAll(model, real);
      }),
    ),
  ),
  { maxCommands: 80 },
);

test("no address has two keys, and none is given that is not ours to give, in whatever order things happen", () => {
  fc.assert(
    fc.property(commands, (script) => {
      const ipam = createNodeIpam(OPTIONS);
      ipam.setBlocks(BLOCKS, 0);
      const model: Model = {
        ...{ now: 0, blocks: [...BLOCKS], released: new Set(), terminatingPools: new Set() },
        ...{ allocations: new Map(), freedAt: new Map() },
      };
      fc.modelRun(() => ({ model, real: { ipam } }), script);
    }),
    { numRuns: 500 },
  );
});
