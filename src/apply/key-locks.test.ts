import assert from "node:assert/strict";
import { test } from "node:test";
import { createKeyLocks } from "./key-locks.ts";

test("`acquire()` gives one permit a key at a time, in order, and does not mix keys", async () => {
  const locks = createKeyLocks();
  const order: string[] = [];
  const first = await locks.acquire("a");
  const waiting = ["second", "third"].map(async (name) => {
    using _permit = await locks.acquire("a");
    order.push(name);
    await Promise.resolve();
  });
  (await locks.acquire("b"))[Symbol.dispose]();
  assert.deepStrictEqual(order, []);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  await Promise.all(waiting);
  assert.deepStrictEqual(order, ["second", "third"]);
});

test("`acquire()` of an aborted waiter rejects with the reason and leaves the queue", async () => {
  const locks = createKeyLocks();
  const controller = new AbortController();
  const reason = new Error("caller went away");
  const first = await locks.acquire("a");
  const aborted = locks.acquire("a", { signal: controller.signal });
  const last = locks.acquire("a");
  controller.abort(reason);
  await assert.rejects(aborted, reason);
  first[Symbol.dispose]();
  (await last)[Symbol.dispose]();
  await assert.rejects(locks.acquire("a", { signal: controller.signal }), reason);
  (await locks.acquire("a"))[Symbol.dispose]();
});

test("`acquire()` aborted in the very turn of the hand-over does not lose the permit", async () => {
  const locks = createKeyLocks();
  const controller = new AbortController();
  const first = await locks.acquire("a");
  const second = locks.acquire("a", { signal: controller.signal });
  await Promise.resolve();
  first[Symbol.dispose]();
  controller.abort(new Error("late"));
  (await second)[Symbol.dispose]();
  (await locks.acquire("a"))[Symbol.dispose]();
});
