import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeClient } from "../../kube/client.ts";
import type { PartialObject } from "../../kube/object.ts";
import { createPodDirectory } from "./pod-directory.ts";

const signal = new AbortController().signal;

/** Caches and an API server with the given objects; `asked` are the direct questions. */
function directoryOf({ cached = [], stored = [] }: { cached?: PartialObject[]; stored?: PartialObject[] }) {
  const asked: string[] = [];
  const find = (objects: readonly PartialObject[]) => (name: string, namespace?: string) =>
    objects.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
  const client = {
    async get(resource: { plural: string }, { name, namespace }: { name: string; namespace?: string }) {
      asked.push(`${resource.plural} ${name}`);
      return find(stored)(name, namespace);
    },
  } as unknown as Pick<KubeClient, "get">;
  const cache = { get: find(cached) };
  return { asked, directory: createPodDirectory(client, { pods: cache, namespaces: cache }) };
}

const pod = (uid: string): PartialObject => ({ metadata: { name: "p", namespace: "ns", uid } });
const namespace = (pool?: string): PartialObject => ({
  metadata: { name: "ns", ...(pool !== undefined && { annotations: { "coil.cybozu.com/pool": pool } }) },
});

test("what the watch knows is not asked for", async () => {
  const { asked, directory } = directoryOf({ cached: [pod("u1"), namespace("blue")] });
  assert.equal((await directory.find({ namespace: "ns", name: "p", uid: "u1" }, { signal })).metadata.uid, "u1");
  assert.equal((await directory.find({ namespace: "ns", name: "p" }, { signal })).metadata.uid, "u1");
  assert.equal(await directory.poolOf("ns", { signal }), "blue");
  assert.deepEqual(asked, []);
});

test("what the watch does not know yet, or knows of an earlier pod, is asked for once", async () => {
  const { asked, directory } = directoryOf({ cached: [pod("old")], stored: [pod("new"), namespace()] });
  assert.equal((await directory.find({ namespace: "ns", name: "p", uid: "new" }, { signal })).metadata.uid, "new");
  assert.equal(await directory.poolOf("ns", { signal }), "default");
  assert.deepEqual(asked, ["pods p", "namespaces ns"]);
  await assert.rejects(directory.find({ namespace: "ns", name: "p", uid: "newer" }, { signal }), { code: 3 });
  await assert.rejects(directory.find({ namespace: "ns", name: "q", uid: "x" }, { signal }), { code: 3 });
  await assert.rejects(directory.poolOf("gone", { signal }), { code: 3 });
});

test("an empty annotation names no pool", async () => {
  const { directory } = directoryOf({ cached: [namespace("")] });
  await assert.rejects(directory.poolOf("ns", { signal }), { code: 7 });
});
