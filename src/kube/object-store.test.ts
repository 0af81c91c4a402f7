import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { KubeObject } from "./object.ts";
import { type Change, keyOf, ObjectStore } from "./object-store.ts";

const name = fc.constantFrom("a", "b", "c");
const namespace = fc.constantFrom("x", "y", undefined);
const object = fc
  .record({
    name,
    namespace,
    uid: fc.constantFrom("1", "2"),
    version: fc.constantFrom("1", "2", "3"),
    colour: fc.constantFrom("red", "blue"),
  })
  .map(
    ({ name, namespace, uid, version, colour }): KubeObject => ({
      metadata: { name, ...(namespace && { namespace }), uid, resourceVersion: version, labels: { colour } },
    }),
  );
const step = fc.oneof(
  object.map((object) => ({ kind: "put" as const, object })),
  object.map((object) => ({ kind: "remove" as const, object })),
  fc
    .array(object)
    .map((objects) => ({ kind: "replace" as const, objects: new Map(objects.map((object) => [keyOf(object), object])) })),
);

test("the changes that a store tells, applied in order, give what the store holds, and its index finds it", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const store = new ObjectStore<KubeObject>();
      store.addIndex("colour", ({ metadata }) => (metadata.labels ? [metadata.labels["colour"] ?? ""] : []));
      const mirror = new Map<string, KubeObject>();
      const notify = (change: Change<KubeObject>) => {
        const key = keyOf(change.object);
        const old = mirror.get(key);
        if (change.type === "added") assert.equal(old, undefined);
        else assert.equal(change.old, old);
        if (change.type === "modified") assert.equal(change.old.metadata.uid, change.object.metadata.uid);
        if (change.type === "deleted") mirror.delete(key);
        else mirror.set(key, change.object);
      };
      for (const step of steps) {
        if (step.kind === "put") store.put(step.object, notify);
        else if (step.kind === "remove") store.remove(step.object, notify);
        else {
          store.replace(step.objects, notify);
          const versions = (objects: Iterable<KubeObject>) =>
            [...objects]
              .map(({ metadata: { name, namespace, uid, resourceVersion } }) => [namespace, name, uid, resourceVersion].join())
              .sort();
          assert.deepEqual(versions(store.list()), versions(step.objects.values()));
        }
        const ofStore = store.list();
        assert.deepEqual(new Set(ofStore), new Set(mirror.values()));
        for (const colour of ["red", "blue"]) {
          const expected = ofStore.filter(({ metadata }) => metadata.labels?.["colour"] === colour);
          assert.deepEqual(new Set(store.byIndex("colour", colour)), new Set(expected));
        }
      }
    }),
  );
});

test("an object with the name of another one is told as a deletion and an addition", () => {
  const store = new ObjectStore<KubeObject>();
  const told: string[] = [];
  const notify = ({ type, object }: Change<KubeObject>) =>
    told.push(`${type} ${object.metadata.uid}, has ${store.get("a")?.metadata.uid}`);
  store.put({ metadata: { name: "a", uid: "1", resourceVersion: "1" } }, notify);
  store.put({ metadata: { name: "a", uid: "1", resourceVersion: "1" } }, notify);
  store.put({ metadata: { name: "a", uid: "2", resourceVersion: "2" } }, notify);
  assert.deepEqual(told, ["added 1, has 1", "deleted 1, has undefined", "added 2, has 2"]);
});

test("an index of a name that is taken or unknown is a TypeError", () => {
  const store = new ObjectStore<KubeObject>();
  store.addIndex("x", () => []);
  assert.throws(() => store.addIndex("x", () => []), TypeError);
  assert.throws(() => store.byIndex("y", ""), TypeError);
});
