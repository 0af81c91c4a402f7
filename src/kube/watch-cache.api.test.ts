import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startApiServer } from "../../test/support/api-server.ts";
import { startTcpProxy } from "../../test/support/tcp-proxy.ts";
import { isStaleVersion } from "./api-error.ts";
import { createKubeClient } from "./client.ts";
import type { KubeConfig } from "./config.ts";
import { silentLog } from "./log.ts";
import type { KubeObject } from "./object.ts";
import type { Resource } from "./resource.ts";
import { namespaces, pods } from "./resources.ts";
import { createWatchCache, type WatchCacheOptions } from "./watch-cache.ts";

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}
const configMaps: Resource<ConfigMap> = { group: "", version: "v1", plural: "configmaps", kind: "ConfigMap", namespaced: true };

const server = await startApiServer();
after(() => server[Symbol.asyncDispose]());
const { client } = server;
const { signal } = new AbortController();
const deps = { log: silentLog, userAgent: "test/0" };
const backoff = { baseMs: 20, maxMs: 200 };

/** A namespace of its own with objects `name=value`. */
async function createNamespace(name: string, ...objects: string[]): Promise<string> {
  await client.create(namespaces, { metadata: { name } }, { signal });
  for (const object of objects) await put(name, object);
  return name;
}

async function put(namespace: string, object: string): Promise<void> {
  const [name = "", value = ""] = object.split("=");
  const old = await client.get(configMaps, { name, namespace }, { signal });
  if (old) await client.update(configMaps, { ...old, data: { value } }, { signal });
  else await client.create(configMaps, { metadata: { name, namespace }, data: { value } }, { signal });
}

const remove = (namespace: string, name: string) => client.delete(configMaps, { name, namespace }, { signal });
const text = ({ metadata, data }: ConfigMap) => `${metadata.name}=${data?.["value"]}`;

/** A running cache, what it told, and how often it listed and resumed. */
function start(namespace: string, options: Partial<WatchCacheOptions<ConfigMap>> & { config?: KubeConfig } = {}) {
  const { config = server.config, ...more } = options;
  const own = createKubeClient(config, deps);
  const told: string[] = [];
  const opened = { list: 0, resume: 0 };
  const cache = createWatchCache(own, {
    resource: configMaps,
    namespace,
    log: silentLog,
    backoff,
    ...more,
    metrics: { opened: (how) => opened[how]++, changed() {} },
  });
  cache.onChange(({ type, object }) => told.push(`${type} ${text(object)}`));
  const stopping = new AbortController();
  const ended = cache.run(stopping.signal);
  return {
    cache,
    told,
    opened,
    content: () => cache.list().map(text).sort().join(" "),
    async [Symbol.asyncDispose]() {
      stopping.abort(new Error("stop"));
      await ended;
      own[Symbol.dispose]();
    },
  };
}

async function eventually(condition: () => boolean, what: () => unknown, ms = 10_000): Promise<void> {
  for (const started = performance.now(); !condition(); await sleep(5)) {
    if (performance.now() - started > ms) throw new Error(`not within ${ms} ms: ${JSON.stringify(what())}`);
  }
}

async function throughProxy() {
  const proxy = await startTcpProxy(Number(new URL(server.url).port));
  return { proxy, config: { ...server.config, server: `https://127.0.0.1:${proxy.port}` } };
}

test("a cache has what the server has, tells changes after it knows them, and finds by index", async () => {
  const namespace = await createNamespace("basic", "a=1", "b=2", "kept=x");
  await using s = start(namespace, { fieldSelector: "metadata.name!=kept" });
  s.cache.addIndex("value", ({ data }) => (data?.["value"] ? [data["value"]] : []));
  const seen: unknown[] = [];
  s.cache.onChange(({ type, object }) => seen.push([type, s.cache.get(object.metadata.name, namespace) !== undefined]));
  assert.deepEqual([s.cache.isSynced, s.cache.lastContact], [false, Number.POSITIVE_INFINITY]);
  await s.cache.synced;
  assert.deepEqual([s.content(), s.cache.byIndex("value", "2").map(text), s.cache.size], ["a=1 b=2", ["b=2"], 2]);
  await put(namespace, "b=3");
  await put(namespace, "c=3");
  await remove(namespace, "a");
  await eventually(() => s.content() === "b=3 c=3", s.content);
  assert.deepEqual(s.told, ["added a=1", "added b=2", "modified b=3", "added c=3", "deleted a=1"]);
  assert.deepEqual(seen, [
    ["added", true],
    ["added", true],
    ["modified", true],
    ["added", true],
    ["deleted", false],
  ]);
  assert.deepEqual(s.cache.byIndex("value", "3").map(text).sort(), ["b=3", "c=3"]);
  assert.ok(s.cache.lastContact < 5000);
  assert.deepEqual(s.opened, { list: 1, resume: 0 });
});

test("a listener that fails or is taken away does no harm to the others", async () => {
  const namespace = await createNamespace("listeners", "a=1");
  const errors: string[] = [];
  await using s = start(namespace, { log: { ...silentLog, error: (_, message) => errors.push(message) } });
  s.cache.onChange(() => {
    throw new Error("broken listener");
  });
  const told: string[] = [];
  const end = s.cache.onChange(({ object }) => told.push(text(object)));
  await s.cache.synced;
  end();
  await put(namespace, "b=2");
  await eventually(
    () => s.told.length === 2,
    () => s.told,
  );
  assert.deepEqual([told, errors], [["a=1"], ["a listener failed", "a listener failed"]]);
});

test("metadata alone is kept when asked for, and a transform leaves only what it returns", async () => {
  const namespace = await createNamespace("thin", "a=1");
  const stopping = new AbortController();
  const thin = createWatchCache(client, { resource: configMaps, namespace, metadataOnly: true, log: silentLog });
  const cut = createWatchCache(client, {
    resource: configMaps,
    namespace,
    log: silentLog,
    transform: ({ metadata: { name, namespace, uid, resourceVersion } }) => ({
      metadata: { name, ...(namespace && { namespace }), ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) },
    }),
  });
  const runs = Promise.all([thin.run(stopping.signal), cut.run(stopping.signal)]);
  await Promise.all([thin.synced, cut.synced]);
  const metadata = thin.get("a", namespace)?.metadata;
  assert.deepEqual(Object.keys(metadata ?? {}).sort(), ["creationTimestamp", "name", "namespace", "resourceVersion", "uid"]);
  assert.deepEqual(thin.list(), [{ apiVersion: "meta.k8s.io/v1", kind: "PartialObjectMetadata", metadata }]);
  assert.deepEqual(Object.keys(cut.get("a", namespace) ?? {}), ["metadata"]);
  stopping.abort();
  await runs;
});

test("a connection that is cut is made again and the watch resumed, without a new list, and nothing is missed or told twice", async () => {
  const namespace = await createNamespace("cut", "a=0");
  const { proxy, config } = await throughProxy();
  await using _ = proxy;
  await using s = start(namespace, { config });
  await s.cache.synced;
  for (let round = 1; round <= 5; round++) {
    proxy.cut();
    await put(namespace, `a=${round}`);
    await eventually(() => s.content() === `a=${round}`, s.content);
  }
  assert.deepEqual(s.told, ["added a=0", ...[1, 2, 3, 4, 5].map((round) => `modified a=${round}`)]);
  assert.deepEqual(s.opened, { list: 1, resume: 5 });
});

test("a connection that breaks in the middle of an event, or of the first list, loses nothing", async () => {
  const namespace = await createNamespace("torn", ...Array.from({ length: 40 }, (_, index) => `n${index}=${"x".repeat(500)}`));
  const { proxy, config } = await throughProxy();
  await using _ = proxy;
  // The handshake takes some 2,000 bytes; the list is 30,000.
  proxy.cutAfter(12_000);
  await using s = start(namespace, { config });
  await eventually(
    () => s.opened.list >= 3,
    () => s.opened,
  );
  assert.deepEqual([s.cache.isSynced, s.cache.size, s.told], [false, 0, []]);
  proxy.cutAfter(undefined);
  await s.cache.synced;
  assert.equal(s.cache.size, 40);
  const lists = s.opened.list;
  for (let round = 0; round < 4; round++) {
    proxy.cutAfter(2500 + round * 300);
    proxy.cut();
    for (let index = 0; index < 5; index++) await put(namespace, `n${index}=${round}`);
    proxy.cutAfter(undefined);
    const expected = Array.from({ length: 5 }, (_, index) => `n${index}=${round}`);
    await eventually(() => expected.every((item) => s.content().includes(item)), s.content);
  }
  assert.equal(s.opened.list, lists);
});

test("a wire that goes dead in silence is noticed and replaced", async () => {
  const namespace = await createNamespace("dead", "a=1");
  const { proxy, config } = await throughProxy();
  await using _ = proxy;
  await using s = start(namespace, { config, idleTimeoutMs: 400 });
  await s.cache.synced;
  proxy.hold();
  await put(namespace, "a=2");
  await sleep(600);
  assert.ok(s.cache.lastContact >= 500, `${s.cache.lastContact}`);
  assert.equal(s.content(), "a=1");
  proxy.release();
  await eventually(() => s.content() === "a=2", s.content);
  assert.deepEqual([s.opened.list, s.told], [1, ["added a=1", "modified a=2"]]);
});

test("a server that stands still and goes on loses nothing", async () => {
  const namespace = await createNamespace("frozen", "a=1");
  await using s = start(namespace, { idleTimeoutMs: 300 });
  await s.cache.synced;
  server.freeze();
  await sleep(1000);
  assert.ok(s.cache.lastContact > 300);
  server.thaw();
  await put(namespace, "a=2");
  await eventually(() => s.content() === "a=2", s.content);
  assert.deepEqual([s.opened.list, s.told], [1, ["added a=1", "modified a=2"]]);
});

test("a cache outlives restarts of the server and tells exactly the differences", async () => {
  const namespace = await createNamespace("restarted", "a=1", "b=1");
  await using s = start(namespace);
  await s.cache.synced;
  await server.restart();
  await put(namespace, "a=2");
  await eventually(() => s.content() === "a=2 b=1", s.content);
  await server.kill();
  await server.start();
  await put(namespace, "c=3");
  await remove(namespace, "b");
  await eventually(() => s.content() === "a=2 c=3", s.content);
  assert.deepEqual(s.told, ["added a=1", "added b=1", "modified a=2", "added c=3", "deleted b=1"]);
});

test("when the server has forgotten our version, a new list tells what was missed, another object of the same name included", async () => {
  const namespace = await createNamespace("compacted", "same=1", "changed=1", "deleted=1", "replaced=1");
  const { proxy, config } = await throughProxy();
  await using _ = proxy;
  await using s = start(namespace, { config, idleTimeoutMs: 300 });
  await s.cache.synced;
  const first = s.cache.get("same", namespace);
  s.told.length = 0;
  proxy.hold();
  await put(namespace, "changed=2");
  await remove(namespace, "deleted");
  await remove(namespace, "replaced");
  await put(namespace, "replaced=2");
  await put(namespace, "added=2");
  await server.compact();
  await server.kill();
  await server.start();
  proxy.release();
  proxy.cut();
  await eventually(() => s.content() === "added=2 changed=2 replaced=2 same=1", s.content);
  assert.deepEqual(s.told.sort(), [
    "added added=2",
    "added replaced=2",
    "deleted deleted=1",
    "deleted replaced=1",
    "modified changed=2",
  ]);
  assert.equal(s.opened.list, 2);
  assert.equal(s.cache.get("same", namespace), first, "what did not change is not even replaced");
});

test("bookmarks keep a quiet watch young enough to be resumed when the server has forgotten the version of its objects", async () => {
  const namespace = await createNamespace("quiet", "a=1");
  const old = (await client.get(configMaps, { name: "a", namespace }, { signal }))?.metadata.resourceVersion ?? "";
  const { proxy, config } = await throughProxy();
  await using _ = proxy;
  // The server sends a bookmark some two seconds before the end of a watch.
  await using s = start(namespace, { config, watchDurationS: 3 });
  await s.cache.synced;
  for (let round = 0; round < 5; round++) await put("default", `noise=${round}`);
  await eventually(
    () => s.opened.resume === 1,
    () => s.opened,
  );
  proxy.hold();
  await server.compact();
  await server.kill();
  await server.start();
  const stale = client.watch(configMaps, { namespace, resourceVersion: old }, { signal }).next();
  await assert.rejects(stale, isStaleVersion);
  proxy.release();
  proxy.cut();
  await put(namespace, "a=2");
  await eventually(() => s.content() === "a=2", s.content);
  assert.deepEqual([s.opened.list, s.told], [1, ["added a=1", "modified a=2"]]);
});

test("a user who may not watch yet is served when he may", async () => {
  const namespace = await createNamespace("forbidden", "a=1");
  await using s = start(namespace, { config: server.configFor("late") });
  await sleep(300);
  assert.deepEqual([s.cache.isSynced, s.cache.size], [false, 0]);
  const binding = {
    metadata: { name: "late", namespace },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "late" }],
  };
  const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`;
  assert.equal((await client.raw({ method: "POST", path, body: binding }, { signal })).status, 201);
  await s.cache.synced;
  assert.equal(s.content(), "a=1");
});

test("a cache goes on with a new token when the old one has expired", async () => {
  const namespace = await createNamespace("expired", "a=1");
  const path = join(server.directory, "cache-token");
  const first = server.tokenFor("cache", ["system:masters"]);
  await writeFile(path, first);
  await using s = start(namespace, { config: { ...server.config, credentials: { kind: "token-file", path } } });
  await s.cache.synced;
  await server.revokeToken(first);
  await put(namespace, "a=2");
  await sleep(300);
  assert.equal(s.content(), "a=1");
  await writeFile(path, server.tokenFor("cache", ["system:masters"]));
  await eventually(() => s.content() === "a=2", s.content);
});

test("an abort ends a cache in each of its states, and synced settles", async () => {
  const namespace = await createNamespace("aborted", "a=1");
  const { proxy, config } = await throughProxy();
  await using _ = proxy;
  const reason = new Error("stop");
  const outcome = async (act: () => unknown, wait: number) => {
    const own = createKubeClient(config, deps);
    const cache = createWatchCache(own, {
      resource: configMaps,
      namespace,
      log: silentLog,
      backoff: { baseMs: 60_000, maxMs: 60_000 },
    });
    const stopping = new AbortController();
    await act();
    const ended = cache.run(stopping.signal);
    await sleep(wait);
    const started = performance.now();
    stopping.abort(reason);
    await ended;
    assert.ok(performance.now() - started < 100);
    own[Symbol.dispose]();
    await assert.rejects(cache.run(stopping.signal), TypeError);
    return cache.synced.then(
      () => "synced",
      (error) => error === reason,
    );
  };
  const outcomes = {
    following: await outcome(() => undefined, 300),
    "opening a connection": await outcome(() => undefined, 0),
    "waiting after a failure": await outcome(() => proxy.cutAfter(10), 200),
    "waiting for an answer": await outcome(() => {
      proxy.cutAfter(undefined);
      proxy.hold();
    }, 200),
  };
  assert.deepEqual(outcomes, {
    following: "synced",
    "opening a connection": true,
    "waiting after a failure": true,
    "waiting for an answer": true,
  });
});

test("a cache stays right while everything goes wrong", async () => {
  const namespace = await createNamespace("storm");
  const { proxy, config } = await throughProxy();
  await using _ = proxy;
  await using s = start(namespace, { config, idleTimeoutMs: 250, backoff: { baseMs: 5, maxMs: 50 } });
  const mirror = new Map<string, string>();
  const wrong: string[] = [];
  s.cache.onChange(({ type, object }) => {
    const { name } = object.metadata;
    if ((type === "added") === mirror.has(name)) wrong.push(`${type} ${name}`);
    if (type === "deleted") mirror.delete(name);
    else mirror.set(name, text(object));
  });
  const until = performance.now() + 6000;
  const damage = async () => {
    while (performance.now() < until) {
      await sleep(Math.random() * 150);
      const dice = Math.random();
      if (dice < 0.4) proxy.cut();
      else if (dice < 0.6) {
        proxy.cutAfter(2000 + Math.random() * 4000);
        await sleep(100);
        proxy.cutAfter(undefined);
      } else if (dice < 0.8) {
        proxy.hold();
        await sleep(Math.random() * 400);
        proxy.release();
      } else await server.compact().catch(() => undefined);
    }
    proxy.cutAfter(undefined);
    proxy.release();
  };
  const write = async () => {
    for (let round = 0; performance.now() < until; round++) {
      const name = `n${Math.floor(Math.random() * 8)}`;
      if (Math.random() < 0.3) await remove(namespace, name);
      else await put(namespace, `${name}=${round}`);
      await sleep(5);
    }
  };
  await Promise.all([damage(), write()]);
  const truth = (await client.list(configMaps, { namespace }, { signal })).items.map(text).sort().join(" ");
  await eventually(
    () => s.content() === truth,
    () => [s.content(), truth],
  );
  assert.deepEqual([[...mirror.values()].sort().join(" "), wrong], [truth, []]);
});

test("a server without streaming lists is read in pages", async () => {
  await using old = await startApiServer({ flags: ["--feature-gates=WatchList=false"] });
  const names = ["a", "b", "c"];
  for (const name of names) await old.client.create(configMaps, { metadata: { name, namespace: "default" } }, { signal });
  const stopping = new AbortController();
  const opened: string[] = [];
  const cache = createWatchCache(old.client, {
    resource: configMaps,
    namespace: "default",
    log: silentLog,
    metrics: { opened: (how) => opened.push(how), changed() {} },
  });
  const ended = cache.run(stopping.signal);
  await cache.synced;
  await old.client.delete(configMaps, { name: "b", namespace: "default" }, { signal });
  await eventually(
    () => cache.size === 2,
    () => cache.list(),
  );
  assert.deepEqual(opened, ["list", "list", "resume"]);
  stopping.abort();
  await ended;
});

test("pods of one node are watched by the field that names it", async () => {
  const namespace = await createNamespace("selected");
  for (const [name, nodeName] of [
    ["mine", "n1"],
    ["other", "n2"],
  ] as const) {
    await client.create(
      pods,
      { metadata: { name, namespace }, spec: { nodeName, containers: [{ name: "c", image: "i" }] } },
      { signal },
    );
  }
  const stopping = new AbortController();
  const cache = createWatchCache(client, {
    resource: pods,
    fieldSelector: "spec.nodeName=n1",
    metadataOnly: true,
    log: silentLog,
  });
  const ended = cache.run(stopping.signal);
  await cache.synced;
  assert.deepEqual(
    cache.list().map(({ metadata }) => metadata.name),
    ["mine"],
  );
  stopping.abort();
  await ended;
});

test("nothing is left open when caches have ended and their client is disposed", async () => {
  const namespace = await createNamespace("leaks", "a=1");
  const open = () => {
    const counts: Record<string, number> = {};
    for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1;
    return { sockets: counts["TCPSocketWrap"] ?? 0, timers: counts["Timeout"] ?? 0 };
  };
  const before = open();
  {
    const running = [start(namespace), start(namespace, { idleTimeoutMs: 100 }), start("default")];
    for (const { cache } of running) await cache.synced;
    assert.ok(open().sockets > before.sockets && open().timers > before.timers);
    await sleep(300);
    for (const one of running) await one[Symbol.asyncDispose]();
  }
  await sleep(50);
  assert.deepEqual(open(), before);
});
