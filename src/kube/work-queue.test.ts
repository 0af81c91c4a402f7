import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createFakeClock } from "../../test/support/fake-clock.ts";
import { silentLog } from "./log.ts";
import { createWorkQueue, type WorkQueueOptions } from "./work-queue.ts";

type Reconcile = WorkQueueOptions<string>["reconcile"];
const backoff = { baseMs: 100, maxMs: 1000, jitter: 0 };

function start(reconcile: Reconcile, concurrency = 1) {
  const clock = createFakeClock();
  const queue = createWorkQueue({ reconcile, concurrency, backoff, log: silentLog, name: "test", clock });
  const stopping = new AbortController();
  const ended = queue.run(stopping.signal);
  return {
    clock,
    queue,
    async stop() {
      stopping.abort(new Error("stop"));
      await ended;
    },
  };
}

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("add" as const), key: fc.constantFrom("a", "b", "c", "d") }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("later" as const), key: fc.constantFrom("a", "b", "c", "d"), ms: fc.nat(300) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("advance" as const), ms: fc.nat(200) }) },
);

test("a queue never gives a key to two workers, and works on it after each time it was added", async () => {
  const run = fc.array(fc.record({ takes: fc.nat(50), fails: fc.boolean(), again: fc.option(fc.nat(100)) }), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.integer({ min: 1, max: 3 }),
      run,
      async (steps, concurrency, script) => {
        const busy = new Set<string>();
        // The queue takes whatever reconcile throws for a failure of the key, so assertions have to wait.
        const wrong: string[] = [];
        const addedAt = new Map<string, number>();
        const startedAt = new Map<string, number>();
        let tick = 0;
        let workers = 0;
        let runs = 0;
        const { clock, queue, stop } = start(async (key, signal) => {
          if (busy.has(key)) wrong.push(`${key} is with two workers`);
          busy.add(key);
          workers++;
          if (workers > concurrency) wrong.push(`${workers} workers`);
          startedAt.set(key, ++tick);
          const plan = script[runs++];
          try {
            if (plan) await clock.sleep(plan.takes, { signal });
            if (plan?.fails) throw new Error("as planned");
            return plan?.again == null ? undefined : { requeueAfterMs: plan.again };
          } finally {
            busy.delete(key);
            workers--;
          }
        }, concurrency);
        for (const step of steps) {
          if (step.do === "advance") await clock.advance(step.ms);
          else {
            if (step.do === "add") queue.add(step.key);
            else queue.addAfter(step.key, step.ms);
            addedAt.set(step.key, ++tick);
          }
        }
        await clock.advance(60_000);
        for (const [key, at] of addedAt) assert.ok((startedAt.get(key) ?? 0) > at, `${key} was lost`);
        assert.deepEqual(
          { waiting: queue.length, busy: busy.size, delayed: clock.sleepers },
          { waiting: 0, busy: 0, delayed: 0 },
        );
        await stop();
      },
    ),
    { numRuns: 200 },
  );
});

test("a key that fails waits longer each time, and a success forgets it", async () => {
  const times: number[] = [];
  let failing = true;
  const { clock, queue, stop } = start(async () => {
    times.push(clock.now());
    if (failing) throw new Error("not yet");
  });
  queue.add("a");
  await clock.advance(3000);
  assert.deepEqual(times, [0, 100, 300, 700, 1500, 2500]);
  failing = false;
  await clock.advance(1000);
  failing = true;
  times.length = 0;
  const from = clock.now();
  queue.add("a");
  await clock.advance(250);
  assert.deepEqual(
    times.map((time) => time - from),
    [0, 100],
  );
  await stop();
});

test("adding a key that waits for its time works on it at once, and only once", async () => {
  const times: number[] = [];
  const { clock, queue, stop } = start(async () => void times.push(clock.now()));
  queue.addAfter("a", 100);
  queue.addAfter("a", 50);
  queue.addAfter("a", 80);
  await clock.advance(60);
  queue.addAfter("a", 100);
  await clock.advance(10);
  queue.add("a");
  await clock.advance(1000);
  assert.deepEqual(times, [50, 70]);
  await stop();
});

test("run() ends after the abort when the last worker has returned, and nothing is started after it", async () => {
  const log: string[] = [];
  const { clock, queue, stop } = start(async (key, signal) => {
    log.push(`start ${key}`);
    await clock.sleep(10, { signal }).catch(() => undefined);
    await clock.sleep(10, { signal: new AbortController().signal });
    log.push(`end ${key}`);
  });
  queue.add("a");
  queue.add("b");
  queue.addAfter("c", 5);
  await clock.advance(1);
  const stopped = stop().then(() => log.push("stopped"));
  await clock.advance(20);
  await stopped;
  queue.add("d");
  await clock.advance(100);
  assert.deepEqual(log, ["start a", "end a", "stopped"]);
  assert.equal(clock.sleepers, 0);
});

test("a queue tells its depth and how long each reconciliation took", async () => {
  const told: unknown[] = [];
  const clock = createFakeClock();
  const queue = createWorkQueue({
    reconcile: async (key, signal) => {
      await clock.sleep(7, { signal });
      if (key === "bad") throw new Error("bad");
      return key === "again" ? { requeueAfterMs: 1000 } : undefined;
    },
    backoff,
    log: silentLog,
    name: "test",
    clock,
    metrics: { depth: (length) => told.push(length), reconciled: (outcome, ms) => told.push([outcome, ms]) },
  });
  for (const key of ["good", "bad", "again"]) queue.add(key);
  const stopping = new AbortController();
  const ended = queue.run(stopping.signal);
  await clock.advance(21);
  stopping.abort();
  await ended;
  assert.deepEqual(told, [1, 2, 3, 2, ["done", 7], 1, ["failed", 7], 0, ["requeued", 7]]);
});
