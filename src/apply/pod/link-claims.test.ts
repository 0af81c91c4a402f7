import assert from "node:assert/strict";
import { test } from "node:test";
import { createLinkClaims } from "./link-claims.ts";

test("`claim()` gives pairs of indexes that nothing else has, never twice at a time", () => {
  const known = new Set([1_000_000_000, 1_000_000_004]);
  const claims = createLinkClaims({ isKnown: (index) => known.has(index) });
  claims.condemn(1_000_000_006, "c:eth0");
  const [one, two] = [claims.claim(), claims.claim()];
  assert.deepStrictEqual([one.host, one.pod, two.host, two.pod], [1_000_000_002, 1_000_000_003, 1_000_000_008, 1_000_000_009]);
  assert.ok(claims.isClaimed(one.host));
  one[Symbol.dispose]();
  assert.ok(!claims.isClaimed(one.host));
  assert.equal(claims.claim().host, 1_000_000_010);
});

test("`vanish()` tells the set-up whose link it was, and no other", () => {
  const claims = createLinkClaims({ isKnown: () => false });
  const [one, two] = [claims.claim(), claims.claim()];
  claims.vanish(one.host);
  claims.vanish(77);
  assert.deepStrictEqual([one.vanished, two.vanished], [true, false]);
});

test("`absolve()` forgets a condemned link and tells its key once", () => {
  const claims = createLinkClaims({ isKnown: () => false });
  claims.condemn(9, "c:eth0");
  assert.deepStrictEqual(
    [claims.condemned(), claims.absolve(9), claims.absolve(9), claims.condemned()],
    [[9], "c:eth0", undefined, []],
  );
});
