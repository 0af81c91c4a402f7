import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { sha1Hex } from "./sha1.ts";

test("`sha1Hex()` agrees with OpenSSL on any ASCII text, across block borders", () => {
  const ascii = fc.string({ unit: "binary-ascii", maxLength: 200 });
  fc.assert(fc.property(ascii, (text) => sha1Hex(text) === createHash("sha1").update(text, "ascii").digest("hex")));
  for (let length = 50; length < 70; length++) {
    const text = "x".repeat(length);
    assert.equal(sha1Hex(text), createHash("sha1").update(text).digest("hex"), `length ${length}`);
  }
});

test("`sha1Hex()` refuses text outside of ASCII", () => {
  assert.throws(() => sha1Hex("pöd"), RangeError);
});
