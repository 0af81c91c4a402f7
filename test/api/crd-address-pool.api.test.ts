import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import type { AddressPoolSpec } from "../../src/crd/address-pool.ts";
import { poolProblems } from "../../src/crd/pool-problems.ts";
import { addressPools } from "../../src/crd/resources.ts";
import { type ApiServer, startApiServer } from "../support/api-server.ts";
import { tryCreate } from "../support/dry-run.ts";
import { applyManifests, kubectl } from "../support/kubectl.ts";
import { poolSpecs } from "../support/pool-arbitrary.ts";

const CASES = 400;
let server: ApiServer;

before(async () => {
  server = await startApiServer();
  await applyManifests(server);
});
after(() => server[Symbol.asyncDispose]());

const GOOD: [what: string, spec: object][] = [
  ["one IPv4 network", { subnets: [{ ipv4: "10.2.0.0/16" }] }],
  ["one IPv6 network", { subnets: [{ ipv6: "fd02::/112" }] }],
  ["dual stack of the same size", { subnets: [{ ipv4: "10.2.0.0/16", ipv6: "fd02::/112" }] }],
  ["blocks of one address", { blockSizeBits: 0, subnets: [{ ipv4: "10.2.0.1/32" }, { ipv4: "10.2.0.7/32" }] }],
  ["a subnet of exactly one block", { blockSizeBits: 24, subnets: [{ ipv4: "10.0.0.0/8" }] }],
  ["as many blocks as numbers", { blockSizeBits: 5, subnets: [{ ipv6: "fd02::/92" }] }],
  ["as many blocks as numbers in two subnets", { blockSizeBits: 5, subnets: [{ ipv6: "fd02::/93" }, { ipv6: "fd03::/93" }] }],
  ["other texts of IPv6", { subnets: [{ ipv6: "FD02:0000:0::0:0/112" }] }],
  ["neighbouring networks", { subnets: [{ ipv4: "10.2.0.0/24" }, { ipv4: "10.2.1.0/24" }, { ipv4: "10.1.255.0/24" }] }],
];

for (const [what, spec] of GOOD) {
  test(`an AddressPool may have ${what}`, async () => {
    assert.deepEqual(await tryCreate(server, addressPools, { metadata: { name: "good" }, spec }), []);
  });
}

const BAD: [what: string, spec: object | undefined, verdict: string[]][] = [
  ["nothing", undefined, ["spec: Required value: give spec.subnets at least one network, for example ipv4: 10.2.0.0/16"]],
  [
    "no subnets",
    { blockSizeBits: 5 },
    [
      "spec.subnets: Required value",
      "<nil>: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
    ],
  ],
  ["an empty list of subnets", { subnets: [] }, ["spec.subnets: spec.subnets in body should have at least 1 items"]],
  ["a subnet of no family", { subnets: [{}] }, ["spec.subnets[0]: invalid subnet: give ipv4, ipv6 or both"]],
  [
    "blocks that are too large",
    { blockSizeBits: 25, subnets: [{ ipv6: "fd02::/96" }] },
    ["spec.blockSizeBits: spec.blockSizeBits in body should be less than or equal to 24"],
  ],
  [
    "a text that is no network",
    { subnets: [{ ipv4: "ten" }] },
    ['spec.subnets[0].ipv4: "ten" is not an IPv4 network: write for example 10.2.0.0/16'],
  ],
  [
    "an address without length",
    { subnets: [{ ipv6: "fd02::" }] },
    ['spec.subnets[0].ipv6: "fd02::" has no prefix length: write a network, for example fd02::/112'],
  ],
  [
    "IPv6 as ipv4",
    { subnets: [{ ipv4: "fd02::/112" }] },
    ['spec.subnets[0].ipv4: "fd02::/112" is an IPv6 network: give it as ipv6, and here an IPv4 network or nothing'],
  ],
  [
    "IPv4 as ipv6",
    { subnets: [{ ipv6: "10.2.0.0/16" }] },
    ['spec.subnets[0].ipv6: "10.2.0.0/16" is an IPv4 network: give it as ipv4, and here an IPv6 network or nothing'],
  ],
  [
    "IPv4-mapped IPv6",
    { subnets: [{ ipv6: "::ffff:10.2.0.0/112" }] },
    ['spec.subnets[0].ipv6: "::ffff:10.2.0.0/112" is not an IPv6 network: write for example fd02::/112'],
  ],
  [
    "host bits",
    { subnets: [{ ipv4: "10.2.0.5/24" }, { ipv4: "10.3.0.0/24" }] },
    ['spec.subnets[0].ipv4: "10.2.0.5/24" has host bits set: the network is 10.2.0.0/24'],
  ],
  [
    "addresses pods cannot have",
    { subnets: [{ ipv4: "169.254.0.0/17" }] },
    [
      'spec.subnets[0].ipv4: "169.254.0.0/17" overlaps 169.254.0.0/16, whose addresses pods cannot have: use for example 10.2.0.0/16',
    ],
  ],
  [
    "a subnet smaller than a block",
    { subnets: [{ ipv4: "10.2.0.0/28" }] },
    ["spec.subnets: too narrow subnet: 10.2.0.0/28 has 2^4 addresses, a block 2^5 (blockSizeBits); use a /27 or wider"],
  ],
  [
    "dual stack of different sizes",
    { subnets: [{ ipv4: "10.2.0.0/24", ipv6: "fd02::/112" }] },
    [
      "spec.subnets[0]: dual stack subnet must be the same size: 10.2.0.0/24 has 2^8 addresses, fd02::/112 has 2^16; a /24 goes with an ipv6 /120",
    ],
  ],
  [
    "a subnet with more blocks than numbers",
    { subnets: [{ ipv6: "fd02::/64" }] },
    ["spec.subnets: too wide subnet: fd02::/64 has 2^59 blocks of 2^5 addresses, a pool can have 2^31; use a /92 or narrower"],
  ],
  [
    "more blocks than numbers",
    { subnets: [{ ipv6: "fd02::/92" }, { ipv6: "fd03::/123" }] },
    [
      "spec.subnets: too many blocks: the subnets have 2147483649 of 2^5 addresses, a pool can have 2147483648; put some into another pool",
    ],
  ],
  [
    "overlapping subnets",
    { subnets: [{ ipv4: "10.1.0.0/16" }, { ipv4: "10.2.3.0/24" }, { ipv4: "10.2.0.0/16" }] },
    ["spec.subnets: 10.2.0.0/16 overlaps 10.2.3.0/24: an address can be in a pool only once; remove one, or split the wider"],
  ],
  [
    "a subnet twice",
    { subnets: [{ ipv6: "fd02::/112" }, { ipv6: "fd02:0::/112" }] },
    ["spec.subnets: fd02:0::/112 overlaps fd02::/112: an address can be in a pool only once; remove one, or split the wider"],
  ],
  [
    "mixed families",
    { subnets: [{ ipv4: "10.1.0.0/16" }, { ipv4: "10.2.0.0/16", ipv6: "fd02::/112" }] },
    ["spec.subnets: mixed families: subnets[0] has ipv4, subnets[1] has ipv4 and ipv6; give all the same, or make another pool"],
  ],
];

for (const [what, spec, verdict] of BAD) {
  test(`an AddressPool must not have ${what}`, async () => {
    const found = await tryCreate(server, addressPools, { metadata: { name: "bad" }, ...(spec && { spec }) });
    assert.deepEqual(found, verdict.toSorted());
  });
}

test("the name of an AddressPool fits a label, and may have dots", async () => {
  const spec = { subnets: [{ ipv4: "10.2.0.0/16" }] };
  assert.deepEqual(await tryCreate(server, addressPools, { metadata: { name: `${"a".repeat(60)}.bc` }, spec }), []);
  const name = "a".repeat(64);
  assert.deepEqual(await tryCreate(server, addressPools, { metadata: { name }, spec }), [
    `metadata: the name "${name}" has 64 characters: use at most 63, because blocks carry it as a label`,
  ]);
});

test("`poolProblems()` finds what the API server refuses, in the same words", async () => {
  const seen = { accepted: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(poolSpecs, async (spec) => {
      const problems = poolProblems(spec);
      const verdict = await tryCreate(server, addressPools, { metadata: { name: "random" }, spec });
      seen[verdict.length === 0 ? "accepted" : "refused"]++;
      // Limits in the schema have the API server's own words and hide the rules.
      if (isOutsideSchema(spec)) assert.ok(problems.length > 0 && verdict.length > 0, verdict.join("\n"));
      else assert.deepEqual(verdict, problems.map(({ field, message }) => `${field}: ${message}`).sort());
    }),
    { numRuns: CASES },
  );
  assert.ok(seen.accepted > CASES / 10 && seen.refused > CASES / 10, JSON.stringify(seen));
});

function isOutsideSchema({ blockSizeBits, subnets }: AddressPoolSpec): boolean {
  const texts = subnets.flatMap(({ ipv4 = "", ipv6 = "" }) => [ipv4, ipv6]);
  return blockSizeBits < 0 || blockSizeBits > 24 || subnets.length === 0 || texts.some((text) => text.length > 64);
}

test("blockSizeBits is 5 if absent", async () => {
  await kubectl(server, ["create", "-f", "-"], pool("five", { subnets: [{ ipv4: "10.5.0.0/16" }] }));
  assert.equal(await kubectl(server, ["get", "addresspool", "five", "-o", "jsonpath={.spec.blockSizeBits}"]), "5");
});

test("`kubectl get addresspools` shows the size of blocks first, and what the controller found", async () => {
  await kubectl(server, ["create", "-f", "-"], pool("shown", { subnets: [{ ipv4: "10.67.0.0/16" }] }));
  const condition = {
    type: "Ready",
    status: "True",
    reason: "Granting",
    message: "",
    lastTransitionTime: "2026-01-01T00:00:00Z",
  };
  const status = { observedGeneration: 1, maxBlocks: 2048, allocatedBlocks: 3, conditions: [condition] };
  await kubectl(server, [
    "patch",
    "addresspool",
    "shown",
    "--subresource=status",
    "--type=merge",
    "-p",
    JSON.stringify({ status }),
  ]);
  const lines = (await kubectl(server, ["get", "addresspools", "shown"])).trim().split("\n");
  assert.deepEqual(
    lines.map((line) => line.split(/ {2,}/).slice(0, 6)),
    [
      ["NAME", "BLOCKSIZE BITS", "READY", "REASON", "MAX BLOCKS", "ALLOCATED"],
      ["shown", "5", "True", "Granting", "2048", "3"],
    ],
  );
});

function pool(name: string, spec: object): string {
  return JSON.stringify({ apiVersion: "coil.cybozu.com/v2", kind: "AddressPool", metadata: { name }, spec });
}
