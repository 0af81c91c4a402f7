import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startApiServer } from "../../test/support/api-server.ts";
import { createEventRecorder } from "./event-recorder.ts";
import { silentLog } from "./log.ts";
import type { KubeObject } from "./object.ts";
import { events, namespaces, nodes, pods } from "./resources.ts";

const server = await startApiServer();
after(() => server[Symbol.asyncDispose]());
const { client } = server;
const { signal } = new AbortController();

function start(instance: string) {
  const recorder = createEventRecorder({ client, component: "test", instance, log: silentLog });
  const stopping = new AbortController();
  const ended = recorder.run(stopping.signal);
  return {
    recorder,
    async stop() {
      stopping.abort(new Error("stop"));
      await ended;
    },
  };
}

const recorded = async (instance: string) =>
  (await client.list(events, {}, { signal })).items
    .filter(({ reportingInstance }) => reportingInstance === instance)
    .map(({ metadata, involvedObject, type, reason, message, count }) => ({
      namespace: metadata.namespace,
      of: involvedObject.name,
      type,
      reason,
      message,
      count,
    }));

test("events appear beside their object, with a count when they repeat", async () => {
  const { recorder, stop } = start("repeating");
  const pod = await client.create(
    pods,
    { metadata: { name: "p", namespace: "default" }, spec: { containers: [{ name: "c", image: "i" }] } },
    { signal },
  );
  const node = await client.create(nodes, { metadata: { name: "n" } }, { signal });
  const full = { type: "Warning", reason: "PoolFull", message: "no block is left" } as const;
  recorder.record(pods, pod, full);
  await sleep(100);
  for (let round = 0; round < 4; round++) recorder.record(pods, pod, full);
  recorder.record(nodes, node, { type: "Normal", reason: "Granted", message: "block x" });
  await stop();
  assert.deepEqual(
    (await recorded("repeating")).sort((a, b) => (a.of ?? "").localeCompare(b.of ?? "")),
    [
      { namespace: "default", of: "n", type: "Normal", reason: "Granted", message: "block x", count: 1 },
      { namespace: "default", of: "p", type: "Warning", reason: "PoolFull", message: "no block is left", count: 5 },
    ],
  );
});

test("an event whose object the server has forgotten is made again", async () => {
  const { recorder, stop } = start("forgotten");
  const object: KubeObject = { metadata: { name: "x", namespace: "default", uid: "u" } };
  const text = { type: "Normal", reason: "R", message: "m" } as const;
  recorder.record(pods, object, text);
  await sleep(100);
  for (const { metadata } of (await client.list(events, { namespace: "default" }, { signal })).items) {
    await client.delete(events, { name: metadata.name, namespace: "default" }, { signal });
  }
  recorder.record(pods, object, text);
  await stop();
  assert.deepEqual(
    (await recorded("forgotten")).map(({ count }) => count),
    [2],
  );
});

test("an object with too many events loses the rest, others do not", async () => {
  const { recorder, stop } = start("many");
  const noisy: KubeObject = { metadata: { name: "noisy", namespace: "default", uid: "1" } };
  const quiet: KubeObject = { metadata: { name: "quiet", namespace: "default", uid: "2" } };
  for (let round = 0; round < 60; round++) recorder.record(pods, noisy, { type: "Normal", reason: "R", message: `${round}` });
  recorder.record(pods, quiet, { type: "Normal", reason: "R", message: "m" });
  await sleep(500);
  await stop();
  const names = (await recorded("many")).map(({ of }) => of);
  assert.deepEqual([names.filter((name) => name === "noisy").length, names.filter((name) => name === "quiet").length], [25, 1]);
});

test("what is refused or too long does no harm", async () => {
  const { recorder, stop } = start("refused");
  recorder.record(
    namespaces,
    { metadata: { name: "x", namespace: "no-such-namespace" } },
    { type: "Normal", reason: "R", message: "m" },
  );
  recorder.record(
    namespaces,
    { metadata: { name: "x".repeat(253) } },
    { type: "Normal", reason: "R", message: "m".repeat(5000) },
  );
  await stop();
  assert.deepEqual(
    (await recorded("refused")).map(({ namespace, message }) => [namespace, message?.length]),
    [["default", 1024]],
  );
});

test("a server that is away for a moment costs no events, and for longer not the end of the program", async () => {
  const { recorder, stop } = start("away");
  await server.kill();
  recorder.record(pods, { metadata: { name: "x", namespace: "default" } }, { type: "Normal", reason: "Kept", message: "m" });
  await server.start();
  await sleep(1200);
  assert.deepEqual(
    (await recorded("away")).map(({ reason }) => reason),
    ["Kept"],
  );
  server.freeze();
  recorder.record(pods, { metadata: { name: "x", namespace: "default" } }, { type: "Normal", reason: "Lost", message: "m" });
  const started = performance.now();
  await stop();
  server.thaw();
  assert.ok(performance.now() - started < 1300);
});
