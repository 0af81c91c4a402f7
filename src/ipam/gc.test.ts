import assert from "node:assert/strict";
import { test } from "node:test";
import { blocksOfVanishedNodes } from "./gc.ts";

test("blocksOfVanishedNodes() finds blocks of nodes that are gone, and of no node at all", () => {
  const blocks = [{ node: "n1" }, { node: "n2" }, { node: "" }];
  assert.deepEqual(blocksOfVanishedNodes(blocks, new Set(["n1"])), [{ node: "n2" }, { node: "" }]);
});
