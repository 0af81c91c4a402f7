import assert from "node:assert/strict";
import { test } from "node:test";
import type { AddressBlock } from "../crd/address-block.ts";
import { parsePrefix } from "../ip/prefix.ts";
import { blockFrom } from "./block.ts";

const made: AddressBlock = {
  metadata: {
    name: "default-3",
    uid: "b3",
    labels: { "coil.cybozu.com/pool": "default", "coil.cybozu.com/node": "n1", "coil.cybozu.com/request": "r7" },
  },
  index: 3,
  ipv4: "10.2.0.96/27",
  ipv6: "fd02::60/123",
};

test("blockFrom() reads what the controller makes", () => {
  assert.deepEqual(blockFrom(made), {
    name: "default-3",
    uid: "b3",
    pool: "default",
    node: "n1",
    index: 3,
    ipv4: parsePrefix("10.2.0.96/27"),
    ipv6: parsePrefix("fd02::60/123"),
    size: 32,
    reserved: false,
    terminating: false,
    request: "r7",
  });
});

test("blockFrom() reads reservation and deletion", () => {
  const { ipv6: _, ...ipv4Only } = made;
  const labels = { "coil.cybozu.com/pool": "v1", "coil.cybozu.com/reserved": "true" };
  const metadata = { name: "v1-0", uid: "b0", labels, deletionTimestamp: "2026-01-01T00:00:00Z" };
  assert.deepEqual(blockFrom({ ...ipv4Only, metadata }), {
    name: "v1-0",
    uid: "b0",
    pool: "v1",
    node: "",
    index: 3,
    ipv4: parsePrefix("10.2.0.96/27"),
    size: 32,
    reserved: true,
    terminating: true,
  });
  const maybe = blockFrom({ ...made, metadata: { ...made.metadata, labels: { ...labels, "coil.cybozu.com/reserved": "yes" } } });
  assert.equal("reserved" in maybe && maybe.reserved, false);
});

test("blockFrom() says what is wrong with a block made by hand", () => {
  const problem = (change: Partial<AddressBlock>) => {
    const result = blockFrom({ ...made, ...change });
    return "problem" in result ? result.problem : undefined;
  };
  const { ipv4: _4, ipv6: _6, ...neither } = made;
  assert.equal(problem({ ipv4: "10.2.0.96" }), "ipv4 is not an IPv4 network: 10.2.0.96");
  assert.equal(problem({ ipv6: "10.2.0.0/24" }), "ipv6 is not an IPv6 network: 10.2.0.0/24");
  assert.equal(problem({ ipv6: "fd02::/64" }), "10.2.0.96/27 and fd02::/64 differ in size");
  assert.equal(problem({ metadata: { name: "x", uid: "u" } }), "the label coil.cybozu.com/pool is missing");
  assert.equal(problem({ metadata: { ...made.metadata, uid: "" } }), "metadata.uid is empty");
  assert.deepEqual(blockFrom(neither), { name: "default-3", problem: "it has neither ipv4 nor ipv6" });
});
