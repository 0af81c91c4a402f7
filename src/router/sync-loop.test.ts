import assert from "node:assert/strict";
import { test } from "node:test";
import { createFakeClock } from "../../test/support/fake-clock.ts";
import { createSilentLogger } from "../observe/logger.ts";
import { createSyncLoop } from "./sync-loop.ts";

/** A running loop, and when it synced. `broken` makes syncs fail. */
function runningLoop() {
  const clock = createFakeClock();
  const syncs: number[] = [];
  const state = { broken: false, failures: 0 };
  const loop = createSyncLoop({
    clock,
    log: createSilentLogger(),
    intervalMs: 10_000,
    onFailure: () => state.failures++,
    async sync() {
      syncs.push(clock.now());
      if (state.broken) throw new Error("broken");
    },
  });
  const stopping = new AbortController();
  const ended = loop.run(stopping.signal);
  const stop = async () => {
    stopping.abort(new Error("enough"));
    await ended;
  };
  return { clock, syncs, state, loop, stop };
}

test("createSyncLoop() syncs at once and then at each interval", async () => {
  const { clock, syncs, stop } = runningLoop();
  await clock.advance(20_200);
  await stop();
  assert.deepStrictEqual(syncs, [0, 10_050, 20_100]);
});

test("createSyncLoop() makes one sync of many changes, soon after the first of them", async () => {
  const { clock, syncs, loop, stop } = runningLoop();
  await clock.advance(1_000);
  loop.trigger();
  await clock.advance(20);
  loop.trigger();
  loop.trigger();
  await clock.advance(1_000);
  await stop();
  assert.deepStrictEqual(syncs, [0, 1_050]);
});

test("createSyncLoop() tries again with growing waits while syncs fail, and at once when something changes", async () => {
  const { clock, syncs, state, loop, stop } = runningLoop();
  state.broken = true;
  loop.trigger();
  await clock.advance(1_700);
  assert.deepStrictEqual(syncs, [0, 50, 600, 1_650]);
  loop.trigger();
  state.broken = false;
  await clock.advance(200);
  assert.deepStrictEqual(syncs.slice(4), [1_750]);
  assert.equal(state.failures, 3);
  await stop();
});
