import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createLineDecoder } from "./json-lines.ts";

test("a line decoder gives the same lines however the stream is cut", () => {
  const line = fc.string({ unit: "grapheme", maxLength: 40 }).filter((text) => !/[\n\r]/.test(text) && text !== "");
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat(200)), (lines, cuts) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(""));
      const places = [...new Set(cuts.map((cut) => Math.min(cut, bytes.length)))].sort((a, b) => a - b);
      const decoder = createLineDecoder();
      const got: string[] = [];
      let from = 0;
      for (const to of [...places, bytes.length]) {
        got.push(...decoder.push(bytes.subarray(from, to)));
        from = to;
      }
      assert.deepEqual({ got, pending: decoder.pending }, { got: lines, pending: 0 });
    }),
  );
});

test("a line decoder keeps what has no end yet", () => {
  const decoder = createLineDecoder();
  assert.deepEqual(decoder.push(Buffer.from('{"a":1}\n{"b"')), ['{"a":1}']);
  assert.equal(decoder.pending, 4);
  assert.deepEqual(decoder.push(Buffer.from(":2}\n\n")), ['{"b":2}']);
});
