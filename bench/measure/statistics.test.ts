import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { median, quantile, spread } from "./statistics.ts";

test("`median()` takes the middle, or the mean of the two in the middle", () => {
  assert.deepEqual([median([3, 1, 2]), median([4, 1, 2, 3]), median([7])], [2, 2.5, 7]);
  assert.throws(() => median([]), RangeError);
});

test("`quantile()` lies between the smallest and the largest value, and grows with its share", () => {
  const values = fc.array(fc.integer(), { minLength: 1 });
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (list, q) => {
      const value = quantile(list, q);
      assert.ok(value >= Math.min(...list) && value <= Math.max(...list));
      assert.ok(quantile(list, q / 2) <= value);
    }),
  );
});

test("`spread()` is the half width of the middle half as a share of the median", () => {
  assert.deepEqual([spread([5]), spread([8, 9, 10, 11, 12]), spread([0, 0])], [0, 0.1, 0]);
});
