import assert from "node:assert/strict";
import { isIPv4, isIPv6 } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import {
  type Address,
  addressEquals,
  addressFromBytes,
  addressOf,
  addressToBytes,
  compareAddresses,
  formatAddress,
  parseAddress,
  tryParseAddress,
} from "./address.ts";

const ipv4 = fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }).map((value) => addressOf("ipv4", value));
/** Groups are drawn one by one, and often zero, so that `::` appears in every place. */
const ipv6 = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 })
  .map((groups) =>
    addressOf(
      "ipv6",
      groups.reduce((sum, group) => (sum << 16n) | BigInt(group), 0n),
    ),
  );
const anyAddress: fc.Arbitrary<Address> = fc.oneof(ipv4, ipv6);

test("an address survives its text", () => {
  fc.assert(
    fc.property(anyAddress, (address) => {
      assert.deepEqual(parseAddress(formatAddress(address)), address);
    }),
  );
});

test("an address survives its bytes", () => {
  fc.assert(
    fc.property(anyAddress, (address) => {
      assert.deepEqual(addressFromBytes(addressToBytes(address)), address);
    }),
  );
});

test("the text is what a URL makes of an IPv6 address", () => {
  fc.assert(
    fc.property(ipv6, (address) => {
      if (address.value >> 32n === 0xffffn) return; // URLs write IPv4-mapped addresses in hexadecimal
      const text = formatAddress(address);
      assert.equal(new URL(`http://[${text}]/`).hostname, `[${text}]`);
    }),
  );
});

test("tryParseAddress() accepts what node:net accepts, zones aside", () => {
  const piece = fc.constantFrom(
    "0",
    "1",
    "ffff",
    "abc",
    "12345",
    "::",
    ":",
    ".",
    "1.2.3.4",
    "256",
    "01",
    "g",
    "",
    "%eth0",
    "-1",
    " ",
    "::1",
  );
  const text = fc.oneof(
    fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join("")),
    fc.array(piece, { maxLength: 9 }).map((pieces) => pieces.join(":")),
    fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join(".")),
    anyAddress.map(formatAddress),
  );
  fc.assert(
    fc.property(text, (candidate) => {
      const expected = !candidate.includes("%") && (isIPv4(candidate) || isIPv6(candidate));
      assert.equal(tryParseAddress(candidate) !== undefined, expected, candidate);
    }),
    { numRuns: 3000 },
  );
});

test("canonical texts", () => {
  const canonical = (text: string) => formatAddress(parseAddress(text));
  const cases: Record<string, string> = {
    "10.2.0.1": "10.2.0.1",
    "255.255.255.255": "255.255.255.255",
    "::": "::",
    "::1": "::1",
    "1::": "1::",
    "FD02:0:0:0:0:0:0:0001": "fd02::1",
    "fd02::200": "fd02::200",
    "1:0:0:2:0:0:0:3": "1:0:0:2::3",
    "1:0:0:2:3:0:0:4": "1::2:3:0:0:4",
    "1:2:3:4:5:6:7::": "1:2:3:4:5:6:7:0",
    "::2:3:4:5:6:7:8": "0:2:3:4:5:6:7:8",
    "0:0:0:0:0:ffff:1.2.3.4": "::ffff:1.2.3.4",
    "::1.2.3.4": "::102:304",
    "64:ff9b::192.0.2.33": "64:ff9b::c000:221",
    "1:2:3:4:5:6:1.2.3.4": "1:2:3:4:5:6:102:304",
  };
  for (const [text, expected] of Object.entries(cases)) assert.equal(canonical(text), expected, text);
});

test("text that is not an address", () => {
  const wrong = [
    ...["", " ", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "1.2.3.4/32", "0x1.2.3.4", "+1.2.3.4", "1..2.3"],
    ...[
      ":",
      ":::",
      ":1",
      "1:",
      "1::2::3",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1:2:3:4:5:6:7:8::",
      "::1:2:3:4:5:6:7:8",
      "12345::",
    ],
    ...[
      "1.2.3.4::",
      "::1.2.3.4:5",
      "1.2.3.4:5::",
      "::1.2.3",
      "::1.2.3.256",
      "1:2:3:4:5:6:7:1.2.3.4",
      "fe80::1%eth0",
      "[::1]",
      "::g",
    ],
  ];
  for (const text of wrong) {
    assert.equal(tryParseAddress(text), undefined, text);
    assert.throws(() => parseAddress(text), SyntaxError, text);
  }
});

test("addressOf() refuses values outside of the family", () => {
  assert.throws(() => addressOf("ipv4", 1n << 32n), RangeError);
  assert.throws(() => addressOf("ipv4", -1n), RangeError);
  assert.throws(() => addressOf("ipv6", 1n << 128n), RangeError);
  assert.throws(() => addressFromBytes(new Uint8Array(5)), RangeError);
});

test("compareAddresses() is a total order that agrees with addressEquals()", () => {
  fc.assert(
    fc.property(anyAddress, anyAddress, (a, b) => {
      assert.equal(compareAddresses(a, b), -compareAddresses(b, a) + 0);
      assert.equal(compareAddresses(a, b) === 0, addressEquals(a, b));
    }),
  );
});
