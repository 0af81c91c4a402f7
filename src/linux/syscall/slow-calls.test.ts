import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { slowly } from "./slow-calls.ts";

test("at most three calls run at the same time, in the order in which they came, whether they fail or not", async () => {
  const started: number[] = [];
  let running = 0;
  let most = 0;
  const results = await Promise.allSettled(
    Array.from({ length: 10 }, (_, i) =>
      slowly(async () => {
        started.push(i);
        most = Math.max(most, ++running);
        await turn();
        running--;
        if (i % 3 === 0) throw new Error(`call ${i}`);
        return i;
      }),
    ),
  );
  assert.equal(most, 3);
  assert.deepStrictEqual(started, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepStrictEqual(
    results.map((result) => (result.status === "fulfilled" ? result.value : (result.reason as Error).message)),
    ["call 0", 1, 2, "call 3", 4, 5, "call 6", 7, 8, "call 9"],
  );
  assert.equal(await slowly(async () => "again"), "again");
});
