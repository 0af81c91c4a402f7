import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatDuration, parseDuration } from "./duration.ts";

test("parseDuration() reads Go's notation", () => {
  const samples = ["0", "5m", "1h30m", "90s", "250ms", "1.5h", "10m0s"];
  assert.deepStrictEqual(samples.map(parseDuration), [0, 300_000, 5_400_000, 90_000, 250, 5_400_000, 600_000]);
});

test("parseDuration() refuses what is not a duration", () => {
  for (const text of ["", "5", "m", "5 m", "-5m", "5m!", "1d"]) assert.throws(() => parseDuration(text), SyntaxError, text);
});

test("formatDuration() writes what parseDuration() reads", () => {
  fc.assert(fc.property(fc.nat(1e9), (ms) => parseDuration(formatDuration(ms)) === ms));
});
