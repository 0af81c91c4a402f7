import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPrefix, parsePrefix } from "../ip/prefix.ts";
import { blockPrefixes, exportedRoutes } from "./exports.ts";

test("`blockPrefixes()` gives both networks of each block once; `exportedRoutes()` leads them to lo", () => {
  const dual = { name: "default-0", ipv4: parsePrefix("10.2.0.0/27"), ipv6: parsePrefix("fd02::/123") };
  const single = { name: "v6-0", ipv6: parsePrefix("fd03::/123") };
  const prefixes = blockPrefixes([dual, single, { ...single, name: "copy" }]);
  assert.deepStrictEqual(prefixes.map(formatPrefix), ["10.2.0.0/27", "fd02::/123", "fd03::/123"]);
  assert.deepStrictEqual(exportedRoutes([parsePrefix("10.2.0.0/27")]), [{ destination: parsePrefix("10.2.0.0/27"), index: 1 }]);
});
