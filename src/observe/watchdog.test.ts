import assert from "node:assert/strict";
import { test } from "node:test";
import { createWatchdog } from "./watchdog.ts";

test("createWatchdog() names the oldest piece of work once it takes too long", async () => {
  let time = 0;
  const watchdog = createWatchdog({ limitMs: 1_000, now: () => time });
  const { promise, resolve } = Promise.withResolvers<void>();
  const slow = watchdog.watch("request a", () => promise);
  await watchdog.watch("request b", async () => undefined);
  time = 1_000;
  assert.equal(watchdog.check(), undefined);
  time = 2_500;
  assert.equal(watchdog.check(), "request a has been going on for 3 s");
  resolve();
  await slow;
  assert.equal(watchdog.check(), undefined);
});

test("createWatchdog() forgets work that fails", async () => {
  const watchdog = createWatchdog({ limitMs: -1, now: () => 0 });
  await assert.rejects(
    watchdog.watch("x", async () => {
      throw new Error("broken");
    }),
    /broken/,
  );
  assert.equal(watchdog.check(), undefined);
});
