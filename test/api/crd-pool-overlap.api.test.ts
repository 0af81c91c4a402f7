import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { AddressPoolSpec } from "../../src/crd/address-pool.ts";
import { MAX_SUBNETS } from "../../src/crd/pool-limits.ts";
import { addressPools } from "../../src/crd/resources.ts";
import { type ApiServer, startApiServer } from "../support/api-server.ts";
import { tryChange, tryCreate, type Verdict } from "../support/dry-run.ts";
import { applyManifests } from "../support/kubectl.ts";

const PATIENCE_MS = 30_000;
let server: ApiServer;

before(async () => {
  server = await startApiServer();
  await applyManifests(server);
  await create("default", [{ ipv4: "10.2.0.0/16", ipv6: "fd02::/112" }]);
  await create("other", [{ ipv4: "10.3.0.0/24", ipv6: "fd03::/120" }]);
  await create("odd", [{ ipv6: "fd04::/112" }]);
});
after(() => server[Symbol.asyncDispose]());

const CASES: [what: string, subnets: AddressPoolSpec["subnets"], overlap: string | undefined][] = [
  ["the same network", [{ ipv4: "10.2.0.0/16" }], "10.2.0.0/16 overlaps 10.2.0.0/16 of AddressPool default"],
  ["a part of a network", [{ ipv4: "10.2.3.0/24" }], "10.2.3.0/24 overlaps 10.2.0.0/16 of AddressPool default"],
  ["a wider network", [{ ipv6: "fd03::/112" }], "fd03::/112 overlaps fd03::/120 of AddressPool other"],
  [
    "a network among others",
    [{ ipv4: "10.9.0.0/24" }, { ipv4: "10.3.0.0/24" }],
    "10.3.0.0/24 overlaps 10.3.0.0/24 of AddressPool other",
  ],
  ["a network in another text", [{ ipv6: "FD04:0::0/112" }], "fd04::/112 overlaps fd04::/112 of AddressPool odd"],
  ["a neighbour", [{ ipv4: "10.1.0.0/16", ipv6: "fd02::1:0/112" }], undefined],
];

test("an AddressPool must not overlap another one", async () => {
  for (const [what, subnets, overlap] of CASES) {
    const object = { metadata: { name: "new" }, spec: { blockSizeBits: 5, subnets } };
    await eventually(what, overlap, () => tryCreate(server, addressPools, object));
  }
});

test("a subnet that is appended must not overlap another AddressPool", async () => {
  const first = { ipv4: "10.3.0.0/24", ipv6: "fd03::/120" };
  const append = (ipv4: string, ipv6: string) =>
    tryChange(server, addressPools, { name: "other" }, { spec: { blockSizeBits: 5, subnets: [first, { ipv4, ipv6 }] } });
  await eventually("overlap", "fd02::100/120 overlaps fd02::/112 of AddressPool default", () =>
    append("10.9.0.0/24", "fd02::100/120"),
  );
  assert.deepEqual(await append("10.9.0.0/24", "fd09::/120"), []);
});

test("AddressPools that overlap all the same can be changed, extended and deleted", async () => {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  // Two at once: the policy compares each with what the API server has seen when it decides.
  const twins = ["left", "right"];
  let clash = 0;
  for (let round = 0; round < 50 && clash < 2; round++) {
    const spec = { blockSizeBits: 5, subnets: [{ ipv4: `10.50.${round}.0/24` }] };
    const made = await Promise.allSettled(
      twins.map((twin) => server.client.create(addressPools, { metadata: { name: `${twin}-${round}` }, spec }, { signal })),
    );
    clash = made.filter(({ status }) => status === "fulfilled").length;
    if (clash < 2) continue;
    const [ref, more] = [{ name: `left-${round}` }, { ipv4: "10.60.0.0/24" }];
    await sleep(500);
    assert.deepEqual(await tryChange(server, addressPools, ref, { spec: { ...spec, subnets: [...spec.subnets, more] } }), []);
    const body = { metadata: { finalizers: ["coil.cybozu.com"] } };
    await server.client.patch(addressPools, ref, { type: "merge", body }, { signal });
    assert.equal(await server.client.delete(addressPools, ref, { signal }), "deleted");
    await server.client.patch(addressPools, ref, { type: "merge", body: { metadata: { finalizers: [] } } }, { signal });
    assert.equal(await server.client.get(addressPools, ref, { signal }), undefined);
  }
  assert.equal(clash, 2, "no two overlapping pools got past the policy at once");
});

test("an AddressPool that is being deleted still has its addresses", async () => {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const subnets = [{ ipv4: "10.70.0.0/24" }];
  const metadata = { name: "leaving", finalizers: ["coil.cybozu.com"] };
  await server.client.create(addressPools, { metadata, spec: { blockSizeBits: 5, subnets } }, { signal });
  await server.client.delete(addressPools, { name: "leaving" }, { signal });
  await eventually("leaving", "10.70.0.0/24 overlaps 10.70.0.0/24 of AddressPool leaving", () =>
    tryCreate(server, addressPools, { metadata: { name: "new" }, spec: { blockSizeBits: 5, subnets } }),
  );
});

test("the largest AddressPools are compared within the API server's budget", async () => {
  const networks = (third: number) =>
    Array.from({ length: MAX_SUBNETS }, (_, i) => ({
      ipv4: `${third}.${100 + i}.${100 + i}.128/25`,
      ipv6: `fdab:cdef:1234:5678:9abc:def${third % 10}:${(0x1000 + i).toString(16)}:0080/121`,
    }));
  await create("largest", networks(101));
  const overlapping = [...networks(102).slice(1), networks(101)[5] as { ipv4: string; ipv6: string }];
  const tried = (subnets: AddressPoolSpec["subnets"]) =>
    tryCreate(server, addressPools, { metadata: { name: "as-large" }, spec: { blockSizeBits: 5, subnets } });
  await eventually("overlap", "101.105.105.128/25 overlaps 101.105.105.128/25 of AddressPool largest", () => tried(overlapping));
  assert.deepEqual(await tried(networks(102)), []);
});

async function create(name: string, subnets: AddressPoolSpec["subnets"]): Promise<void> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  await server.client.create(addressPools, { metadata: { name }, spec: { blockSizeBits: 5, subnets } }, { signal });
}

/** The policy, and new pools for it to compare with, reach the API server's admission a moment after they are stored. */
async function eventually(what: string, overlap: string | undefined, attempt: () => Promise<Verdict>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const verdict = await attempt();
    const told = verdict.some((line) =>
      line.includes(`: ${overlap}; an address can be in one pool only, so use another network`),
    );
    if (overlap === undefined ? verdict.length === 0 : told) return;
    assert.ok(performance.now() < deadline, `${what}: ${verdict.join("\n") || "accepted"}`);
    await sleep(100);
  }
}
