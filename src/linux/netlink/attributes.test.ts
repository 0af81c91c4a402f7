import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { attributeSet, listOf } from "./attributes.ts";
import { encode } from "./body.ts";
import { viewOf } from "./byte-view.ts";
import { be16, be32, bytes, type Codec, flag, s32, u8, u16, u32, u64 } from "./codec.ts";
import { MessageSyntaxError } from "./message-syntax-error.ts";
import { cstring, plainText } from "./text.ts";

const inner = attributeSet({ level: { type: 1, codec: u8 }, name: { type: 2, codec: cstring } });

const everything = attributeSet({
  small: { type: 1, codec: u8 },
  medium: { type: 2, codec: u16 },
  large: { type: 3, codec: u32 },
  signed: { type: 4, codec: s32 },
  huge: { type: 5, codec: u64 },
  port: { type: 6, codec: be16 },
  quad: { type: 7, codec: be32 },
  name: { type: 8, codec: cstring },
  text: { type: 9, codec: plainText },
  raw: { type: 10, codec: bytes },
  present: { type: 11, codec: flag },
  nest: { type: 12, codec: inner },
  names: { type: 13, codec: listOf(3, cstring) },
});

const textArbitrary = fc.string({ unit: "grapheme", maxLength: 40 }).map((text) => text.replaceAll("\0", ""));
const bytesArbitrary = fc.uint8Array({ maxLength: 40 }).map((array) => Uint8Array.from(array));
const uint = (bits: number) => fc.nat({ max: 2 ** bits - 1 }).map((n) => n >>> 0);

const valuesArbitrary = fc.record(
  {
    small: uint(8),
    medium: uint(16),
    large: fc.bigInt({ min: 0n, max: 0xffffffffn }).map(Number),
    signed: fc.integer(),
    huge: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    port: uint(16),
    quad: fc.bigInt({ min: 0n, max: 0xffffffffn }).map(Number),
    name: textArbitrary,
    text: textArbitrary,
    raw: bytesArbitrary,
    present: fc.constant(true as const),
    nest: fc.record({ level: uint(8), name: textArbitrary }, { requiredKeys: [], noNullPrototype: true }),
    names: fc.array(textArbitrary, { maxLength: 5 }),
    // Types that the table does not have, with any flags.
    unknown: fc.array(
      fc.record({ type: fc.integer({ min: 20, max: 0x3fff }), payload: bytesArbitrary }, { noNullPrototype: true }),
      {
        minLength: 1,
        maxLength: 3,
      },
    ),
  },
  { requiredKeys: [], noNullPrototype: true },
);

const decode = <T>(codec: Codec<T>, data: Uint8Array): T => codec.decode(viewOf(data), 0, data.length);

test("attributes come back as they were encoded, unknown ones included", () => {
  fc.assert(
    fc.property(valuesArbitrary, (values) => {
      assert.deepStrictEqual(decode(everything, encode(everything, values)), { ...values });
    }),
  );
});

test("attributes that are undefined are left out", () => {
  assert.deepStrictEqual(decode(everything, encode(everything, { small: undefined, medium: 7 })), { medium: 7 });
});

test("of an attribute that comes twice the last one counts", () => {
  const twice = Uint8Array.from([...encode(everything, { large: 1 }), ...encode(everything, { large: 2 })]);
  assert.deepStrictEqual(decode(everything, twice), { large: 2 });
});

test("the flags of a type do not hide an attribute", () => {
  const data = encode(everything, { nest: { level: 3 } });
  const type = new DataView(data.buffer).getUint16(2, true);
  assert.equal(type, 12 | 0x8000);
  new DataView(data.buffer).setUint16(2, 12, true);
  assert.deepStrictEqual(decode(everything, data), { nest: { level: 3 } });
});

test("a set that drops unknown attributes reads over them", () => {
  const known = attributeSet({ small: { type: 1, codec: u8 } }, { unknown: "drop" });
  assert.deepStrictEqual(decode(known, encode(everything, { small: 5, large: 6 })), { small: 5 });
});

test("attributes that are cut off throw MessageSyntaxError with an offset inside", () => {
  fc.assert(
    fc.property(valuesArbitrary, fc.nat(), (values, seed) => {
      const data = encode(everything, values);
      fc.pre(data.length > 0);
      const cut = data.subarray(0, seed % data.length);
      try {
        decode(everything, cut);
      } catch (error) {
        assert.ok(error instanceof MessageSyntaxError && error instanceof SyntaxError);
        assert.ok(error.offset >= 0 && error.offset <= cut.length);
        return;
      }
      // Cut between two attributes, or in the padding of one: what is there is whole.
      assert.doesNotThrow(() => decode(everything, cut));
    }),
  );
});

test("any bytes either are attributes or throw MessageSyntaxError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (data) => {
      try {
        decode(everything, data);
      } catch (error) {
        if (!(error instanceof MessageSyntaxError)) throw error;
      }
    }),
  );
});

for (const [problem, data, offset] of [
  ["a header that is cut off", [8, 0, 1], 0],
  ["a length below that of the header", [3, 0, 1, 0], 0],
  ["a length beyond the end", [9, 0, 1, 0, 1, 0, 0, 0], 0],
  ["a number of the wrong size", [6, 0, 3, 0, 1, 0, 0, 0], 4],
  ["a bad attribute in a nest", [12, 0, 12, 0, 7, 0, 1, 0, 1, 2, 3, 0], 8],
  ["a second attribute that is bad", [5, 0, 1, 0, 1, 0, 0, 0, 2, 0, 0, 0], 8],
] as const) {
  test(`decoding tells where ${problem} is`, () => {
    assert.throws(
      () => decode(everything, Uint8Array.from(data)),
      (error) => error instanceof MessageSyntaxError && error.offset === offset,
    );
  });
}

test("an attribute that is too long for its length field throws RangeError", () => {
  assert.throws(() => encode(everything, { raw: new Uint8Array(70_000) }), RangeError);
});
