import assert from "node:assert/strict";
import { test } from "node:test";
import type { AddressPool } from "../crd/address-pool.ts";
import { createPoolBoard } from "./pool-board.ts";

function pool(name: string, createdAt: number, ipv4: string, meta: Partial<AddressPool["metadata"]> = {}): AddressPool {
  const creationTimestamp = new Date(createdAt * 1000).toISOString();
  return {
    metadata: { name, uid: `uid-${name}`, generation: 1, creationTimestamp, ...meta },
    spec: { blockSizeBits: 0, subnets: [{ ipv4 }] },
  };
}

/** A board, and what it told the ledger. */
function board() {
  const calls: string[] = [];
  const ledger = {
    setPool: (name: string) => void calls.push(`set ${name}`),
    dropPool: (name: string) => void calls.push(`drop ${name}`),
  };
  const made = createPoolBoard(ledger);
  const kinds = () => Object.fromEntries(made.names().map((name) => [name, made.standing(name)?.kind]));
  return { update: made.update, standing: made.standing, kinds, calls };
}

test("update() refuses the younger of two pools that overlap, and heals when the older one goes", () => {
  const { update, standing, kinds, calls } = board();
  const [older, younger] = [pool("older", 1, "10.2.0.0/16"), pool("younger", 2, "10.2.3.0/24")];
  assert.deepStrictEqual(update([younger, older]), ["younger", "older"]);
  assert.deepStrictEqual(kinds(), { younger: "overlap", older: "granting" });
  assert.equal(standing("younger")?.message, "10.2.3.0/24 overlaps 10.2.0.0/16 of the older pool older");
  assert.deepStrictEqual(update([younger]), ["older", "younger"]);
  assert.deepStrictEqual(kinds(), { younger: "granting" });
  assert.deepStrictEqual(calls, ["set younger", "set older", "drop older"]);
});

test("update() tells of nothing when nothing changed, and of a pool whose subnets grew", () => {
  const { update, calls } = board();
  update([pool("a", 1, "10.2.0.0/24")]);
  assert.deepStrictEqual(update([pool("a", 1, "10.2.0.0/24")]), []);
  assert.deepStrictEqual(update([pool("a", 1, "10.2.0.0/24", { generation: 2 })]), ["a"]);
  assert.deepStrictEqual(calls, ["set a", "set a"]);
});

test("update() sees a pool being deleted, one that cannot be cut, and another one of the same name", () => {
  const { update, kinds, calls } = board();
  update([pool("a", 1, "10.2.0.0/24"), pool("bad", 1, "nonsense")]);
  assert.deepStrictEqual(kinds(), { a: "granting", bad: "invalid" });
  update([pool("a", 1, "10.2.0.0/24", { deletionTimestamp: "2026-01-01T00:00:00Z" })]);
  assert.deepStrictEqual(kinds(), { a: "terminating" });
  update([pool("a", 3, "10.9.0.0/24", { uid: "another" })]);
  assert.deepStrictEqual(calls, ["set a", "drop bad", "drop a", "set a"]);
});
