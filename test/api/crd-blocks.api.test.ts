import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { addressBlocks, blockRequests } from "../../src/crd/resources.ts";
import { type ApiServer, startApiServer } from "../support/api-server.ts";
import { tryChange, tryCreate } from "../support/dry-run.ts";
import { applyManifests, kubectl } from "../support/kubectl.ts";

const TIMEOUT_MS = 60_000;
let server: ApiServer;

before(async () => {
  server = await startApiServer();
  await applyManifests(server);
});
after(() => server[Symbol.asyncDispose]());

const BLOCKS: [what: string, block: object, verdict: string[]][] = [
  ["of IPv4", { index: 0, ipv4: "10.2.0.0/27" }, []],
  ["of IPv6", { index: 0, ipv6: "fd02::/123" }, []],
  ["of both", { index: 2147483647, ipv4: "10.2.0.3/32", ipv6: "fd02::3/128" }, []],
  ["of nothing", { index: 0 }, ["<nil>: empty block: give ipv4, ipv6 or both"]],
  ["without number", { ipv4: "10.2.0.0/27" }, ["index: Required value"]],
  ["of a negative number", { index: -1, ipv4: "10.2.0.0/27" }, ["index: index in body should be greater than or equal to 0"]],
  ["with host bits", { index: 0, ipv4: "10.2.0.1/27" }, ['ipv4: "10.2.0.1/27" has host bits set: the network is 10.2.0.0/27']],
  [
    "of different sizes",
    { index: 0, ipv4: "10.2.0.0/27", ipv6: "fd02::/124" },
    [
      "<nil>: dual stack block must be the same size: 10.2.0.0/27 has 2^5 addresses, fd02::/124 has 2^4; a /27 goes with an ipv6 /123",
    ],
  ],
];

test("an AddressBlock is checked when it is created", async () => {
  for (const [what, block, verdict] of BLOCKS) {
    const found = await tryCreate(server, addressBlocks, { metadata: { name: "default-0" }, ...block });
    assert.deepEqual(
      found.filter((line) => !line.includes("some validation rules were not checked")),
      verdict,
      what,
    );
  }
});

test("an AddressBlock keeps its number and networks; labels and finalizers can be changed", async () => {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const metadata = { name: "default-1", finalizers: ["coil.cybozu.com"], labels: { "coil.cybozu.com/node": "a" } };
  await server.client.create(addressBlocks, { metadata, index: 1, ipv4: "10.2.0.32/27" }, { signal });
  const change = (fields: Record<string, unknown>) => tryChange(server, addressBlocks, { name: "default-1" }, fields);
  assert.deepEqual(await change({ index: 2 }), [
    "index: Forbidden: unchangeable: it is 1, so leave it; 2 would be another block",
  ]);
  assert.deepEqual(await change({ ipv4: "10.2.0.64/27" }), [
    "ipv4: Forbidden: unchangeable: it is 10.2.0.32/27, so leave it; 10.2.0.64/27 would be another block",
  ]);
  assert.deepEqual(await change({ ipv6: "fd02::/123" }), [
    "ipv6: Forbidden: unchangeable: the block has no ipv6, so do not add fd02::/123",
  ]);
  assert.deepEqual(await change({ ipv4: undefined, ipv6: "fd02::/123" }), [
    "ipv4: Forbidden: unchangeable: it is 10.2.0.32/27, so leave it",
    "ipv6: Forbidden: unchangeable: the block has no ipv6, so do not add fd02::/123",
  ]);
  const body = { metadata: { finalizers: [], labels: { "coil.cybozu.com/reserved": "true" } } };
  await server.client.patch(addressBlocks, { name: "default-1" }, { type: "merge", body }, { signal });
});

test("`kubectl get addressblocks` shows node, pool and networks", async () => {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const labels = { "coil.cybozu.com/node": "coil-worker", "coil.cybozu.com/pool": "default" };
  const block = { metadata: { name: "default-7", labels }, index: 7, ipv4: "10.2.0.224/27", ipv6: "fd02::e0/123" };
  await server.client.create(addressBlocks, block, { signal });
  const lines = (await kubectl(server, ["get", "addressblocks", "default-7"])).trim().split("\n");
  assert.deepEqual(
    lines.map((line) => line.split(/ {2,}/)),
    [
      ["NAME", "NODE", "POOL", "IPV4", "IPV6"],
      ["default-7", "coil-worker", "default", "10.2.0.224/27", "fd02::e0/123"],
    ],
  );
});

test("a BlockRequest is checked when it is created, and keeps what it asks for", async () => {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const name = "req-default-a";
  const attempt = (spec: object) => tryCreate(server, blockRequests, { metadata: { name }, spec });
  const long = "n".repeat(64);
  assert.deepEqual(await attempt({ nodeName: long, poolName: "default" }), [
    `spec.nodeName: "${long}" has 64 characters: a name can have 63, because blocks carry it as a label`,
  ]);
  assert.deepEqual(await tryCreate(server, blockRequests, { metadata: { name } }), [
    "spec: Required value: give spec.nodeName and spec.poolName",
  ]);
  await server.client.create(blockRequests, { metadata: { name }, spec: { nodeName: "a", poolName: "default" } }, { signal });
  assert.deepEqual(await tryChange(server, blockRequests, { name }, { spec: { nodeName: "b", poolName: "default" } }), [
    "spec: Forbidden: unchangeable: it asks for a block of pool default for node a; delete it and make another request",
  ]);
});

test("the status of a BlockRequest takes the conditions that Coil v2 writes, with blanks in their reasons", async () => {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const spec = { nodeName: "a", poolName: "default" };
  const request = await server.client.create(blockRequests, { metadata: { name: "req-answered" }, spec }, { signal });
  const at = "2026-01-01T00:00:00Z";
  const condition = (type: "Complete" | "Failed", reason: string) => ({
    type,
    status: "True",
    reason,
    message: reason,
    lastProbeTime: at,
    lastTransitionTime: at,
  });
  const conditions = [condition("Complete", "completed with failure"), condition("Failed", "out of blocks")];
  const answered = await server.client.updateStatus(blockRequests, { ...request, status: { conditions } }, { signal });
  assert.deepEqual(answered.status, { conditions });
});

test("BlockRequests can be selected by node and by pool", async () => {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  for (const node of ["x", "y"]) {
    for (const pool of ["p", "q"]) {
      const spec = { nodeName: node, poolName: pool };
      await server.client.create(blockRequests, { metadata: { name: `req-${pool}-${node}` }, spec }, { signal });
    }
  }
  const names = async (fieldSelector: string) =>
    (await server.client.list(blockRequests, { fieldSelector }, { signal })).items.map(({ metadata }) => metadata.name).sort();
  assert.deepEqual(await names("spec.nodeName=x"), ["req-p-x", "req-q-x"]);
  assert.deepEqual(await names("spec.nodeName=x,spec.poolName=q"), ["req-q-x"]);
});
