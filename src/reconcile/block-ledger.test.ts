import assert from "node:assert/strict";
import { test } from "node:test";
import type { AddressBlock } from "../crd/address-block.ts";
import { LABEL_NODE, LABEL_POOL, LABEL_REQUEST } from "../crd/names.ts";
import { formatPrefix } from "../ip/prefix.ts";
import { layoutOf } from "../ipam/layout.ts";
import { type BlockLedger, createBlockLedger } from "./block-ledger.ts";

/** A ledger that knows the pool `default` of four blocks. */
function ledgerOfFour(now = () => 0): BlockLedger {
  const ledger = createBlockLedger({ now });
  ledger.setPool("default", layoutOf({ blockSizeBits: 1, subnets: [{ ipv4: "10.2.0.0/29" }] }));
  return ledger;
}

function block(index: number, { uid = `uid-${index}`, request = "" } = {}): AddressBlock {
  const labels = { [LABEL_POOL]: "default", [LABEL_NODE]: "node", ...(request && { [LABEL_REQUEST]: request }) };
  return { metadata: { name: `default-${index}`, uid, labels }, index, ipv4: `10.2.0.${index * 2}/31` };
}

function reserved(ledger: BlockLedger, request: string): number | string {
  const grant = ledger.reserve(request, "default");
  return grant.kind === "index" ? grant.index : grant.kind;
}

test("reserve() keeps the index of a request until it is settled", () => {
  const ledger = ledgerOfFour();
  assert.deepStrictEqual(
    ["a", "b", "a", "b"].map((request) => reserved(ledger, request)),
    [0, 1, 0, 1],
  );
  ledger.settle("a", "default", "absent");
  assert.deepStrictEqual(
    ["c", "a"].map((request) => reserved(ledger, request)),
    [0, 2],
  );
});

test("observe() makes a block the answer to its request, and forget() ends that", () => {
  const ledger = ledgerOfFour();
  assert.equal(ledger.observe(block(1, { request: "a" })), true);
  assert.equal(ledger.answerTo("a"), "default-1");
  assert.deepStrictEqual(
    ["b", "c"].map((request) => reserved(ledger, request)),
    [0, 2],
  );
  ledger.forget(block(1, { request: "a" }));
  assert.equal(ledger.answerTo("a"), undefined);
  assert.equal(reserved(ledger, "d"), 1);
});

test("observe() does not believe in a block that was seen to go", () => {
  const ledger = ledgerOfFour();
  ledger.forget(block(0, { request: "a" }));
  assert.equal(ledger.observe(block(0, { request: "a" })), false);
  assert.equal(ledger.answerTo("a"), undefined);
  assert.equal(reserved(ledger, "b"), 0);
});

test("forget() of an old block leaves the new one of the same name alone", () => {
  const ledger = ledgerOfFour();
  ledger.observe(block(0, { uid: "old" }));
  ledger.observe(block(0, { uid: "new", request: "a" }));
  ledger.forget(block(0, { uid: "old" }));
  assert.equal(ledger.answerTo("a"), "default-0");
  assert.equal(reserved(ledger, "b"), 1);
});

test("settle() as taken skips the index until the object in the way is gone, whatever its labels say", () => {
  const ledger = ledgerOfFour();
  reserved(ledger, "a");
  ledger.settle("a", "default", "taken");
  assert.equal(reserved(ledger, "a"), 1);
  const foreign: AddressBlock = { metadata: { name: "default-0", uid: "foreign" }, index: 7, ipv4: "192.0.2.0/31" };
  ledger.forget(foreign);
  assert.equal(reserved(ledger, "b"), 0);
});

test("resync() forgets what the read lacks and takes over what it has", async () => {
  const ledger = ledgerOfFour();
  ledger.observe(block(0, { request: "a" }));
  await ledger.resync(async () => [block(2, { request: "b" })]);
  assert.deepStrictEqual([ledger.answerTo("a"), ledger.answerTo("b")], [undefined, "default-2"]);
  assert.deepStrictEqual(
    ["c", "d", "e", "f"].map((request) => reserved(ledger, request)),
    [0, 1, 3, "full"],
  );
});

test("resync() keeps what was created, and does not bring back what was removed, while it was reading", async () => {
  const ledger = ledgerOfFour();
  ledger.observe(block(0, { request: "a" }));
  await ledger.resync(async () => {
    const snapshot = [block(0, { request: "a" })];
    ledger.forget(block(0, { request: "a" }));
    ledger.observe(block(1, { request: "b" }));
    return snapshot;
  });
  assert.deepStrictEqual([ledger.answerTo("a"), ledger.answerTo("b")], [undefined, "default-1"]);
});

test("abandon() frees what was kept for requests that nobody waits for any more", () => {
  let time = 0;
  const ledger = ledgerOfFour(() => time);
  reserved(ledger, "gone");
  reserved(ledger, "waiting");
  time = 100;
  reserved(ledger, "young");
  ledger.abandon(50, (request) => request === "waiting");
  assert.equal(ledger.usage("default")?.pending, 2);
  assert.equal(reserved(ledger, "next"), 0);
});

test("dropPool() forgets what was kept of it, so that a pool made anew is cut in its own way", () => {
  const ledger = ledgerOfFour();
  reserved(ledger, "a");
  reserved(ledger, "b");
  ledger.dropPool("default");
  assert.equal(reserved(ledger, "b"), "unknown-pool");
  ledger.setPool("default", layoutOf({ blockSizeBits: 0, subnets: [{ ipv4: "10.9.0.0/30" }] }));
  const grant = ledger.reserve("b", "default");
  assert.equal(grant.kind === "index" && grant.ipv4 && formatPrefix(grant.ipv4), "10.9.0.0/32");
});
