import assert from "node:assert/strict";
import { test } from "node:test";
import { sumOfSeries } from "./metrics-text.ts";

test("`sumOfSeries()` adds up the series of exactly one name whose labels fit", () => {
  const text = `# HELP a_total x
a_total{verb="GET",code="200"} 3
a_total{verb="PUT",code="200"} 4
a_total_more{verb="GET"} 50
a_total 1e1
`;
  assert.equal(
    sumOfSeries(text, "a_total", () => true),
    17,
  );
  assert.equal(
    sumOfSeries(text, "a_total", ({ verb }) => verb === "GET"),
    3,
  );
});
