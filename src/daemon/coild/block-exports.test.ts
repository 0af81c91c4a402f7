import assert from "node:assert/strict";
import { test } from "node:test";
import { createFakeClock } from "../../../test/support/fake-clock.ts";
import { formatPrefix, parsePrefix } from "../../ip/prefix.ts";
import { createSilentLogger } from "../../observe/logger.ts";
import { createBlockExports } from "./block-exports.ts";

/** Running exports; `failing` are networks that the kernel does not take or let go of, `broken` makes every write fail. */
function runningExports() {
  const clock = createFakeClock();
  const state = { wanted: ["10.0.0.0/31"], failing: new Set<string>(), broken: false };
  const written: string[][] = [];
  const exports = createBlockExports({
    exporter: {
      async apply(prefixes) {
        if (state.broken) throw new Error("the table cannot be read");
        written.push(prefixes.map(formatPrefix));
        return { failed: [...state.failing].map((destination) => ({ destination, reason: "busy" })) };
      },
    },
    wanted: () => state.wanted.map(parsePrefix),
    ...{ clock, log: createSilentLogger() },
  });
  const stopping = new AbortController();
  const ended = exports.run(stopping.signal);
  const stop = async () => {
    stopping.abort(new Error("enough"));
    await ended;
  };
  return { clock, state, written, exports, stop, signal: stopping.signal };
}

test("the table is written at first and after changes, changes in a row once", async () => {
  const { clock, state, written, exports, stop } = runningExports();
  await exports.ready;
  state.wanted = ["10.0.0.2/31"];
  for (let i = 0; i < 5; i++) exports.changed();
  await clock.advance(10);
  await stop();
  assert.deepEqual(written, [["10.0.0.0/31"], ["10.0.0.2/31"]]);
});

test("withdrawn() resolves when the network has left the table, not before", async () => {
  const { clock, state, exports, stop, signal } = runningExports();
  await exports.ready;
  let done = false;
  state.wanted = [];
  state.failing.add("10.0.0.0/31");
  const withdrawn = exports.withdrawn([parsePrefix("10.0.0.0/31")], { signal }).then(() => {
    done = true;
  });
  await clock.advance(1_000);
  assert.equal(done, false);
  state.failing.clear();
  await clock.advance(5_000);
  await withdrawn;
  state.failing.add("10.9.9.0/24");
  await Promise.all([exports.withdrawn([parsePrefix("10.0.0.4/31")], { signal }), clock.advance(1_000)]);
  await stop();
});

test("a table that cannot be written is tried again, and who waits may leave", async () => {
  const { clock, state, written, exports, stop } = runningExports();
  state.broken = true;
  exports.changed();
  const leaving = new AbortController();
  const withdrawn = exports.withdrawn([], { signal: leaving.signal });
  await clock.advance(500);
  leaving.abort(new Error("left"));
  await assert.rejects(withdrawn, /left/);
  state.broken = false;
  await clock.advance(10_000);
  assert.ok(written.length > 0);
  await stop();
});
