import assert from "node:assert/strict";
import { test } from "node:test";
import { backoffMs } from "./backoff.ts";

test("backoffMs() doubles up to the maximum and spreads by the jitter", () => {
  const waits = (random: number) =>
    [1, 2, 3, 4, 100].map((failures) => backoffMs({ baseMs: 100, maxMs: 500 }, failures, () => random));
  assert.deepEqual(
    [waits(0.5), waits(0), waits(1)],
    [
      [100, 200, 400, 500, 500],
      [50, 100, 200, 250, 250],
      [150, 300, 600, 750, 750],
    ],
  );
});
