import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { createSerialQueue } from "./serial-queue.ts";

test("jobs run one after the other, in the order in which they came", async () => {
  const queue = createSerialQueue();
  const log: string[] = [];
  const job = (name: string) => async () => {
    log.push(`${name} starts`);
    await turn();
    log.push(`${name} ends`);
    return name;
  };
  assert.deepStrictEqual(await Promise.all([queue.run(job("a")), queue.run(job("b")), queue.run(job("c"))]), ["a", "b", "c"]);
  assert.deepStrictEqual(log, ["a starts", "a ends", "b starts", "b ends", "c starts", "c ends"]);
});

test("a job that fails does not stop the next one", async () => {
  const queue = createSerialQueue();
  const failing = queue.run(() => Promise.reject(new Error("no")));
  const next = queue.run(async () => 1);
  await assert.rejects(failing, /no/);
  assert.equal(await next, 1);
});

test("a job whose signal is aborted before its turn never runs", async () => {
  const queue = createSerialQueue();
  const release = Promise.withResolvers<void>();
  const first = queue.run(() => release.promise);
  const controller = new AbortController();
  const second = queue.run(() => Promise.reject(new Error("it ran")), controller.signal);
  const third = queue.run(async () => "third");
  controller.abort(new Error("aborted"));
  await assert.rejects(second, /^Error: aborted$/);
  release.resolve();
  await first;
  assert.equal(await third, "third");
  await assert.rejects(
    queue.run(async () => "it ran", controller.signal),
    /^Error: aborted$/,
  );
});

test("`close()` rejects what waits and calls back when the running job has ended", async () => {
  const queue = createSerialQueue();
  const release = Promise.withResolvers<string>();
  const running = queue.run(() => release.promise);
  const waiting = queue.run(async () => "it ran");
  let closed = false;
  queue.close(
    () => new Error("closed"),
    () => {
      closed = true;
    },
  );
  await assert.rejects(waiting, /^Error: closed$/);
  await assert.rejects(
    queue.run(async () => "it ran"),
    /^Error: closed$/,
  );
  assert.equal(closed, false);
  release.resolve("done");
  assert.equal(await running, "done");
  await turn();
  assert.equal(closed, true);
});

test("`close()` of an idle queue calls back at once, and once", () => {
  const queue = createSerialQueue();
  let calls = 0;
  for (let i = 0; i < 2; i++)
    queue.close(
      () => new Error("closed"),
      () => calls++,
    );
  assert.equal(calls, 1);
});
