import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress } from "../ip/address.ts";
import { nodeAddresses } from "./node-addresses.ts";

test("nodeAddresses() takes the last internal address of each family, and nothing else", () => {
  const addresses = [
    { type: "Hostname", address: "node-1" },
    { type: "ExternalIP", address: "198.51.100.1" },
    { type: "InternalIP", address: "192.0.2.1" },
    { type: "InternalIP", address: "2001:db8::1" },
    { type: "InternalIP", address: "192.0.2.2" },
    { type: "InternalIP", address: "no address" },
  ];
  assert.deepStrictEqual(nodeAddresses({ status: { addresses } }), {
    ipv4: parseAddress("192.0.2.2"),
    ipv6: parseAddress("2001:db8::1"),
  });
  assert.deepStrictEqual(nodeAddresses({}), {});
  assert.deepStrictEqual(nodeAddresses(undefined), {});
});
