import assert from "node:assert/strict";
import { test } from "node:test";
import { grantedStatus, refusedStatus } from "./block-request-status.ts";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const TIMES = { lastProbeTime: "2026-01-02T03:04:05Z", lastTransitionTime: "2026-01-02T03:04:05Z" };

test("grantedStatus() is the answer that nodes of the Go implementation read", () => {
  assert.deepStrictEqual(grantedStatus("default-3", NOW), {
    addressBlockName: "default-3",
    conditions: [{ type: "Complete", status: "True", ...TIMES, reason: "allocated", message: "allocated a block default-3" }],
  });
});

test("refusedStatus() completes first and then says why it failed", () => {
  const message = "pool default does not have free blocks";
  assert.deepStrictEqual(refusedStatus({ reason: "out of blocks", message }, NOW), {
    conditions: [
      { type: "Complete", status: "True", ...TIMES, reason: "completed with failure", message: "completed with failure" },
      { type: "Failed", status: "True", ...TIMES, reason: "out of blocks", message },
    ],
  });
});
