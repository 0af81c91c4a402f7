import assert from "node:assert/strict";
import { test } from "node:test";
import { createFakeClock } from "../../../test/support/fake-clock.ts";
import { parseAddress } from "../../ip/address.ts";
import { createSilentLogger } from "../../observe/logger.ts";
import type { ObservedPod } from "../../podnet/observed-pods.ts";
import { collectOrphans, type OrphansDeps } from "./orphans.ts";

function attached(key: string, rest: Partial<ObservedPod> = {}): ObservedPod {
  const identity = { key, containerId: key, ifname: "eth0", pool: "default", network: "net", podUid: `uid-${key}` };
  return { ...identity, hostInterface: `veth-${key}`, index: Number(key), origin: "ours", ...rest };
}

/** What is removed, given who is attached, the pods of the API and links whose pod has a process, each as a function of the look. */
async function removed(
  observed: readonly ObservedPod[],
  {
    uids,
    ips = [],
    alive = [],
    mirrors = [],
  }: { uids: (look: number) => string[]; ips?: string[]; alive?: number[]; mirrors?: string[] },
): Promise<string[]> {
  const clock = createFakeClock();
  const detached: string[] = [];
  let look = 0;
  const list = async (_: unknown, selection: { fieldSelector: string }, { metadataOnly = false }) => {
    assert.equal(selection.fieldSelector, "spec.nodeName=n1");
    if (!metadataOnly) return { items: ips.map((ip) => ({ metadata: { name: "x" }, status: { podIPs: [{ ip }] } })) };
    look++;
    const annotated = mirrors.map((uid) => ({ metadata: { name: uid, annotations: { "kubernetes.io/config.mirror": uid } } }));
    return { items: [...uids(look).map((uid) => ({ metadata: { name: uid, uid } })), ...annotated] };
  };
  const deps: OrphansDeps = {
    ...{
      node: "n1",
      clock,
      log: createSilentLogger(),
      secondLookMs: 5_000,
      client: { list } as unknown as OrphansDeps["client"],
    },
    observed: () => observed,
    withProcesses: async (indexes) => new Set(indexes.filter((index) => alive.includes(index))),
    detach: async ({ key }) => void detached.push(key),
  };
  const collecting = collectOrphans(deps, { signal: new AbortController().signal });
  await clock.advance(5_000);
  await collecting;
  return detached;
}

test("attachments whose pod is not in the API are removed, when they are so twice", async () => {
  assert.deepEqual(await removed([attached("1"), attached("2")], { uids: () => ["uid-1"] }), ["2"]);
  assert.deepEqual(await removed([attached("1"), attached("2")], { uids: (look) => (look === 1 ? [] : ["uid-1", "uid-2"]) }), []);
});

test("an attachment in whose namespace a process is stays", async () => {
  assert.deepEqual(await removed([attached("1"), attached("2")], { uids: () => [], alive: [2] }), ["1"]);
});

test("of several attachments of one interface of a pod only the newest stays", async () => {
  const pods = [
    attached("1", { podUid: "uid" }),
    attached("2", { podUid: "uid" }),
    attached("3", { podUid: "uid", ifname: "net1" }),
  ];
  assert.deepEqual(await removed(pods, { uids: () => ["uid"] }), ["1"]);
});

test("a static pod is known by the UID of its mirror, and what no kubelet made is left alone", async () => {
  const pods = [attached("1", { podUid: "static" }), attached("2", { podUid: "" })];
  assert.deepEqual(await removed(pods, { uids: () => [], mirrors: ["static"] }), []);
});

test("attachments of the Go implementation are known by their address", async () => {
  const go = (key: string, ipv4: string): ObservedPod => {
    const { network: _n, podUid: _u, ...rest } = attached(key, { origin: "go", ipv4: parseAddress(ipv4) });
    return rest;
  };
  assert.deepEqual(await removed([go("1", "10.0.0.1"), go("2", "10.0.0.2")], { uids: () => [], ips: ["10.0.0.1"] }), ["2"]);
});
