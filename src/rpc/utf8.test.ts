import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
);

test("encodeUtf8() writes what TextEncoder writes", () => {
  fc.assert(fc.property(text, (value) => assert.deepEqual([...encodeUtf8(value)], [...new TextEncoder().encode(value)])));
});

test("decodeUtf8() reads what a strict TextDecoder reads, and refuses what it refuses", () => {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const edge = fc.constantFrom(
    [0xc0, 0x80],
    [0xe0, 0x9f, 0xbf],
    [0xed, 0xa0, 0x80],
    [0xf0, 0x8f, 0xbf, 0xbf],
    [0xf4, 0x90, 0x80, 0x80],
    [0xf5],
    [0xef, 0xbb, 0xbf],
    [0xe2, 0x82],
    [0x80],
  );
  const piece = fc.oneof(
    text.map((value) => [...Buffer.from(value)]),
    fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 3 }),
    edge,
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 4 }), (pieces) => {
      const bytes = Uint8Array.from(pieces.flat());
      let expected: string | undefined;
      try {
        expected = decoder.decode(bytes);
      } catch {
        assert.throws(() => decodeUtf8(bytes), SyntaxError);
        return;
      }
      assert.equal(decodeUtf8(bytes), expected);
    }),
    { numRuns: 1000 },
  );
});

test("decodeUtf8() says where the first wrong byte is, and takes megabytes", () => {
  assert.throws(() => decodeUtf8(Uint8Array.of(0x61, 0xc3, 0xa4, 0xff)), { message: "Not UTF-8 at byte 3" });
  const long = "ä€😀x".repeat(300_000);
  assert.equal(decodeUtf8(encodeUtf8(long)), long);
});
