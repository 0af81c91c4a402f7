import assert from "node:assert/strict";
import { test } from "node:test";
import { formatTable } from "./table.ts";

test("`formatTable()` aligns columns, numbers to the right", () => {
  const rows = [
    ["NODE", "PODS", "STATE"],
    ["coil-worker", "5", "ready"],
    ["coil-worker2", "12", ""],
  ];
  assert.equal(
    formatTable(rows),
    `
NODE          PODS  STATE
coil-worker      5  ready
coil-worker2    12`.slice(1),
  );
});
