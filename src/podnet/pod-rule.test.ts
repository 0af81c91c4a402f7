import assert from "node:assert/strict";
import { test } from "node:test";
import type { RuleState } from "./host-state.ts";
import { findPodRule } from "./pod-rule.ts";

const wanted = { priority: 2000, table: 116 };
const ours: RuleState = { family: "ipv4", priority: 2000, table: 116, plain: true };

test("`findPodRule()` knows ours by priority, table and the absence of selectors", () => {
  const narrower: RuleState = { ...ours, plain: false };
  const other: RuleState = { ...ours, table: 117 };
  const elsewhere: RuleState = { ...ours, priority: 1999 };
  assert.deepStrictEqual(findPodRule([elsewhere, ours], wanted), { present: true, foreign: [] });
  assert.deepStrictEqual(findPodRule([narrower, other, elsewhere], wanted), { present: false, foreign: [narrower, other] });
  assert.deepStrictEqual(findPodRule([other, ours], wanted), { present: true, foreign: [other] });
});
