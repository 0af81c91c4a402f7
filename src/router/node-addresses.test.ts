import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress } from "../ip/address.ts";
import { routerNode } from "./node-addresses.ts";

test("routerNode() takes the last internal address of each family, and nothing else", () => {
  const addresses = [
    { type: "Hostname", address: "node-1" },
    { type: "ExternalIP", address: "198.51.100.1" },
    { type: "InternalIP", address: "192.0.2.1" },
    { type: "InternalIP", address: "2001:db8::1" },
    { type: "InternalIP", address: "192.0.2.2" },
    { type: "InternalIP", address: "no address" },
  ];
  assert.deepStrictEqual(routerNode({ metadata: { name: "node-1" }, status: { addresses } }), {
    name: "node-1",
    ipv4: parseAddress("192.0.2.2"),
    ipv6: parseAddress("2001:db8::1"),
  });
  assert.deepStrictEqual(routerNode({ metadata: { name: "new" } }), { name: "new" });
});
