import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPrefix } from "../ip/prefix.ts";
import { networkOf, sameNetwork } from "./network-text.ts";

test("`networkOf()` masks host bits, and takes neither addresses nor IPv4-mapped IPv6, as the API server", () => {
  const texts = [
    "10.2.0.5/24",
    "FD02:0::5/112",
    "::10.2.0.0/112",
    "10.2.0.5",
    "::ffff:10.2.0.0/112",
    "::ffff:a02:5/16",
    "x/24",
    "",
    "/",
    "10.2.0.0/024",
  ];
  const found = texts.map((text) => networkOf(text)).map((network) => (network ? formatPrefix(network) : "none"));
  assert.deepEqual(found, ["10.2.0.0/24", "fd02::/112", "::a02:0/112", ...Array(7).fill("none")]);
});

test("`sameNetwork()` compares networks, not texts", () => {
  assert.equal(sameNetwork("fd02::/112", "FD02:0::1/112"), true);
  assert.equal(sameNetwork("10.2.0.0/24", "10.2.0.0/25"), false);
  assert.equal(sameNetwork("x", "x"), true);
  assert.equal(sameNetwork(undefined, undefined), true);
  assert.equal(sameNetwork(undefined, "10.2.0.0/24"), false);
  assert.equal(sameNetwork("x", "10.2.0.0/24"), false);
});
