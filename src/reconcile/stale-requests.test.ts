import assert from "node:assert/strict";
import { test } from "node:test";
import type { BlockRequest } from "../crd/block-request.ts";
import { grantedStatus } from "./block-request-status.ts";
import { staleRequests } from "./stale-requests.ts";

test("staleRequests() gives those that were answered more than ten minutes ago", () => {
  const minute = 60_000;
  const request = (name: string, answeredAt?: number): BlockRequest => ({
    metadata: { name, creationTimestamp: "1970-01-01T00:00:00Z" },
    spec: { nodeName: "node", poolName: "default" },
    ...(answeredAt !== undefined && { status: grantedStatus("default-0", answeredAt) }),
  });
  const requests = [request("open"), request("old", 9 * minute), request("fresh", 11 * minute)];
  assert.deepStrictEqual(
    staleRequests(requests, 20 * minute).map(({ metadata }) => metadata.name),
    ["old"],
  );
});
