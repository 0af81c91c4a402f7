import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatPrefix, prefixesOverlap } from "../ip/prefix.ts";
import { type Block, blockNetworks } from "./block.ts";
import { createGrantBook, type Grant, type GrantBook } from "./grants.ts";
import { blockAt, layoutOf } from "./layout.ts";

const LAYOUTS = {
  a: layoutOf({ blockSizeBits: 1, subnets: [{ ipv4: "10.0.0.0/29" }, { ipv4: "10.0.1.0/30" }] }),
  // Shares 10.0.0.4/30 with pool a: only a race could let both exist, and even then no address is given twice.
  b: layoutOf({ blockSizeBits: 0, subnets: [{ ipv4: "10.0.0.4/30" }, { ipv4: "10.0.2.0/31" }] }),
};
type PoolName = keyof typeof LAYOUTS;

function block(pool: PoolName, index: number, uid: string): Block {
  const prefixes = blockAt(LAYOUTS[pool], index)!;
  const size = pool === "a" ? 2 : 1;
  return { name: `${pool}-${index}`, uid, pool, node: "n", index, size, reserved: false, terminating: false, ...prefixes };
}

function grantText(grant: Grant): string {
  return grant.kind === "index" ? `${grant.pool}-${grant.index} ${blockNetworks(grant).map(formatPrefix).join(" ")}` : grant.kind;
}

test("next() gives the lowest free index, and keeps it for the caller", () => {
  const book = createGrantBook();
  book.setPool("a", LAYOUTS.a);
  book.observe(block("a", 1, "u1"));
  const texts = () => grantText(book.next("a"));
  assert.deepEqual([texts(), texts(), texts()], ["a-0 10.0.0.0/31", "a-2 10.0.0.4/31", "a-3 10.0.0.6/31"]);
  assert.deepEqual(book.usage("a"), { max: 6n, allocated: 1, pending: 3 });
  book.failed("a", 2);
  book.confirmed(block("a", 0, "u0"));
  assert.deepEqual([texts(), texts(), texts(), texts()], ["a-2 10.0.0.4/31", "a-4 10.0.1.0/31", "a-5 10.0.1.2/31", "full"]);
  book.removed({ uid: "u1", pool: "a", index: 1 });
  assert.deepEqual([texts(), texts()], ["a-1 10.0.0.2/31", "full"]);
  assert.equal(grantText(book.next("zebra")), "unknown-pool");
  assert.equal(book.usage("zebra"), undefined);
});

test("an index that turns out to be taken is skipped until its block is gone", () => {
  const book = createGrantBook();
  book.setPool("a", LAYOUTS.a);
  assert.equal(grantText(book.next("a")), "a-0 10.0.0.0/31");
  book.taken("a", 0);
  assert.equal(grantText(book.next("a")), "a-1 10.0.0.2/31");
  book.removed({ uid: "never seen", pool: "a", index: 0 });
  assert.equal(grantText(book.next("a")), "a-0 10.0.0.0/31");
});

test("the deletion of an earlier block of an index does not free the index of a later one", () => {
  const book = createGrantBook();
  book.setPool("a", LAYOUTS.a);
  book.observe(block("a", 0, "old"));
  book.observe(block("a", 0, "new"));
  book.removed({ uid: "old", pool: "a", index: 0 });
  assert.equal(grantText(book.next("a")), "a-1 10.0.0.2/31");
});

test("an appended subnet is granted from when the rest is used", () => {
  const book = createGrantBook();
  const short = layoutOf({ blockSizeBits: 1, subnets: [{ ipv4: "10.0.0.0/31" }] });
  book.setPool("a", short);
  assert.deepEqual([grantText(book.next("a")), grantText(book.next("a"))], ["a-0 10.0.0.0/31", "full"]);
  book.setPool("a", layoutOf({ blockSizeBits: 1, subnets: [{ ipv4: "10.0.0.0/31" }, { ipv4: "10.0.1.0/30" }] }));
  assert.equal(grantText(book.next("a")), "a-1 10.0.1.0/31");
});

test("a large obstacle is passed in one step, and only within its subnet", () => {
  const book = createGrantBook();
  const other = layoutOf({ blockSizeBits: 24, subnets: [{ ipv6: "fd02::/104" }] });
  book.setPool("other", other);
  book.confirmed({
    ...block("a", 0, "x"),
    name: "other-0",
    pool: "other",
    ...blockAt(other, 0)!,
    ipv4: undefined,
  } as unknown as Block);
  book.setPool("p", layoutOf({ blockSizeBits: 0, subnets: [{ ipv6: "fd02::/110" }, { ipv6: "fd03::/120" }] }));
  assert.equal(grantText(book.next("p")), "p-262144 fd03::/128");
});

test("pools of more blocks than an index can number are full at the last index, not before", () => {
  const book = createGrantBook();
  const layout = layoutOf({ blockSizeBits: 0, subnets: [{ ipv6: "fd02::/48" }] });
  book.setPool("huge", layout);
  assert.equal(grantText(book.next("huge")), "huge-0 fd02::/128");
  assert.equal(book.usage("huge")?.max, 1n << 80n);
});

/** The API server, with the watch events that the controller has not read yet. */
interface World {
  readonly book: GrantBook;
  readonly blocks: Map<string, Block>;
  /** Blocks whose creation was not answered yet. */
  readonly late: Block[];
  readonly events: { readonly gone: boolean; readonly block: Block }[];
  uid: number;
}
type Command = fc.Command<object, World>;

const REPLIES = ["arrives", "is late", "is lost", "refuses"] as const;
type Reply = (typeof REPLIES)[number];

/** One grant of a pool; `reply` tells what the creation came to. */
class GrantOne implements Command {
  readonly pool: PoolName;
  readonly reply: Reply;
  constructor(pool: PoolName, reply: Reply) {
    this.pool = pool;
    this.reply = reply;
  }
  check = () => true;
  run(_: object, world: World): void {
    const grant = world.book.next(this.pool);
    if (grant.kind !== "index") return;
    const name = `${this.pool}-${grant.index}`;
    if (this.reply === "refuses") {
      world.book.failed(this.pool, grant.index);
      return;
    }
    if (world.blocks.has(name)) {
      world.book.taken(this.pool, grant.index);
      return;
    }
    const made = block(this.pool, grant.index, `u${world.uid++}`);
    const double = overlapsAny(made, [...world.blocks.values()]);
    assert.ok(!double, `${name} was granted although ${double?.name} has its addresses`);
    world.blocks.set(name, made);
    world.events.push({ gone: false, block: made });
    if (this.reply === "is lost") world.book.taken(this.pool, grant.index);
    else if (this.reply === "arrives") world.book.confirmed(made);
    else world.late.push(made);
  }
  toString = () => `grant ${this.pool}, the reply ${this.reply}`;
}

class DeleteOne implements Command {
  readonly which: number;
  constructor(which: number) {
    this.which = which;
  }
  check = () => true;
  run(_: object, world: World): void {
    const victim = [...world.blocks.values()][this.which % Math.max(1, world.blocks.size)];
    if (!victim) return;
    world.blocks.delete(victim.name);
    world.events.push({ gone: true, block: victim });
  }
  toString = () => `delete block number ${this.which}`;
}

class ReadEvents implements Command {
  readonly count: number;
  constructor(count: number) {
    this.count = count;
  }
  check = () => true;
  run(_: object, world: World): void {
    for (const { gone, block } of world.events.splice(0, this.count)) {
      if (gone) world.book.removed(block);
      else world.book.observe(block);
    }
  }
  toString = () => `read ${this.count} events`;
}

class LateReply implements Command {
  check = () => true;
  run(_: object, world: World): void {
    const made = world.late.shift();
    if (made) world.book.confirmed(made);
  }
  toString = () => "a late reply arrives";
}

class Resync implements Command {
  check = () => true;
  run(_: object, world: World): void {
    for (const made of world.late.splice(0)) world.book.confirmed(made);
    new ReadEvents(world.events.length).run(_, world);
    for (const [name, layout] of Object.entries(LAYOUTS)) world.book.setPool(name, layout);
  }
  toString = () => "resync";
}

function overlapsAny(candidate: Block, blocks: readonly Block[]): Block | undefined {
  return blocks.find((other) => prefixesOverlap(other.ipv4!, candidate.ipv4!));
}

test("no address is granted twice, whatever is lost, late or refused, even from pools that overlap", () => {
  const pool = fc.constantFrom<PoolName>("a", "b");
  const commands = fc.commands<object, World>(
    [
      fc.tuple(pool, fc.constantFrom(...REPLIES)).map(([name, reply]) => new GrantOne(name, reply)),
      fc.constant(new LateReply()),
      fc.nat({ max: 9 }).map((which) => new DeleteOne(which)),
      fc.integer({ min: 1, max: 4 }).map((count) => new ReadEvents(count)),
      fc.constant(new Resync()),
    ],
    { maxCommands: 60 },
  );
  fc.assert(
    fc.property(commands, (script) => {
      const book = createGrantBook();
      for (const [name, layout] of Object.entries(LAYOUTS)) book.setPool(name, layout);
      const world: World = { book, blocks: new Map(), late: [], events: [], uid: 0 };
      fc.modelRun(() => ({ model: {}, real: world }), script);
      new Resync().run({}, world);
      for (const name of ["a", "b"] as const) {
        const blocks = [...world.blocks.values()];
        const allocated = blocks.filter(({ pool }) => pool === name).length;
        assert.deepEqual(book.usage(name), { max: 6n, allocated, pending: 0 });
        const free = [0, 1, 2, 3, 4, 5].filter((index) => !overlapsAny(block(name, index, "?"), blocks));
        const granted = free.map(() => grantText(book.next(name)).split(" ")[0]);
        assert.deepEqual([...granted, grantText(book.next(name))], [...free.map((index) => `${name}-${index}`), "full"]);
        for (const index of free) book.failed(name, index);
      }
    }),
    { numRuns: 300 },
  );
});
