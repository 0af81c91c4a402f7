import assert from "node:assert/strict";
import { test } from "node:test";
import { collectionPath, objectPath } from "./resource.ts";
import { leases, nodes, pods } from "./resources.ts";

test("paths name groups, namespaces, objects and subresources", () => {
  assert.deepEqual(
    [
      collectionPath(pods),
      collectionPath(pods, "a"),
      collectionPath(nodes, "ignored"),
      objectPath(pods, { name: "x", namespace: "a" }, "status"),
      objectPath(leases, { name: "a/b", namespace: "n" }),
    ],
    [
      "/api/v1/pods",
      "/api/v1/namespaces/a/pods",
      "/api/v1/nodes",
      "/api/v1/namespaces/a/pods/x/status",
      "/apis/coordination.k8s.io/v1/namespaces/n/leases/a%2Fb",
    ],
  );
});

test("a path to one object never becomes that of all objects", () => {
  assert.throws(() => objectPath(nodes, { name: "" }), TypeError);
  assert.throws(() => objectPath(pods, { name: "x" }), TypeError);
  assert.throws(() => objectPath(pods, { name: "x", namespace: "" }), TypeError);
});
