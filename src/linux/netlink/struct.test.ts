import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encode } from "./body.ts";
import { viewOf } from "./byte-view.ts";
import { MessageSyntaxError } from "./message-syntax-error.ts";
import { defineStruct } from "./struct.ts";

const struct = defineStruct("example", { a: "u8", b: "u8", c: "u16", d: "u32", e: "s32" });

test("a structure comes back as it was encoded", () => {
  const uint32 = fc.bigInt({ min: 0n, max: 0xffffffffn }).map(Number);
  fc.assert(
    fc.property(fc.record({ a: fc.nat(255), b: fc.nat(255), c: fc.nat(65535), d: uint32, e: fc.integer() }), (values) => {
      const data = encode(struct, values);
      assert.equal(data.length, struct.size);
      assert.deepStrictEqual(struct.decode(viewOf(data), 0, data.length), { ...values });
    }),
  );
});

test("members that are left out are 0", () => {
  const data = encode(struct, { c: 5 });
  assert.deepStrictEqual(struct.decode(viewOf(data), 0, data.length), { a: 0, b: 0, c: 5, d: 0, e: 0 });
});

test("a structure that is cut off throws MessageSyntaxError with its offset", () => {
  const data = new Uint8Array(struct.size + 3);
  assert.throws(
    () => struct.decode(viewOf(data), 4, data.length),
    (error) => error instanceof MessageSyntaxError && error.offset === 4,
  );
});

test("`offsetOf()` tells where a member is", () => {
  assert.deepStrictEqual(
    (["a", "b", "c", "d", "e"] as const).map((field) => struct.offsetOf(field)),
    [0, 1, 2, 4, 8],
  );
});
