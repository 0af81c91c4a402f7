import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startApiServer } from "../../test/support/api-server.ts";
import { ApiError, ConnectionError, isApiError } from "./api-error.ts";
import { type Call, createCaller } from "./caller.ts";
import { createKubeClient, type KubeClient } from "./client.ts";
import { realClock } from "./clock.ts";
import { listAll } from "./list.ts";
import { silentLog } from "./log.ts";
import type { KubeObject } from "./object.ts";
import type { Resource } from "./resource.ts";
import { namespaces, nodes, pods } from "./resources.ts";
import { createSession } from "./session.ts";

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}
const configMaps: Resource<ConfigMap> = { group: "", version: "v1", plural: "configmaps", kind: "ConfigMap", namespaced: true };
const priorityLevels = flowControl("PriorityLevelConfiguration");
const flowSchemas = flowControl("FlowSchema");
const clusterRoleBindings: Resource<KubeObject & { roleRef: object; subjects: object[] }> = {
  group: "rbac.authorization.k8s.io",
  version: "v1",
  plural: "clusterrolebindings",
  kind: "ClusterRoleBinding",
  namespaced: false,
};

const server = await startApiServer();
after(() => server[Symbol.asyncDispose]());
const { client } = server;
const { signal } = new AbortController();
const namespace = "default";
const deps = { log: silentLog, userAgent: "test/0" };

function flowControl(kind: string): Resource<KubeObject & { spec: object }> {
  return { group: "flowcontrol.apiserver.k8s.io", version: "v1", plural: `${kind.toLowerCase()}s`, kind, namespaced: false };
}

const configMap = (name: string, data: Record<string, string> = {}): ConfigMap => ({ metadata: { name, namespace }, data });
const pod = (name: string) => ({ metadata: { name, namespace }, spec: { containers: [{ name: "c", image: "i" }] } });
const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => "none",
    (error: unknown) =>
      error instanceof ApiError ? `${error.status} ${error.reason}` : error instanceof ConnectionError ? error.code : error,
  );

test("an object is created, read, listed, changed and deleted, and conflicts are refused", async () => {
  const ref = { name: "crud", namespace };
  assert.equal(await client.get(configMaps, ref, { signal }), undefined);
  const created = await client.create(configMaps, configMap("crud", { a: "1" }), { signal });
  assert.equal(await refusal(client.create(configMaps, configMap("crud"), { signal })), "409 AlreadyExists");
  const updated = await client.update(configMaps, { ...created, data: { a: "2" } }, { signal });
  assert.equal(await refusal(client.update(configMaps, { ...created, data: { a: "3" } }, { signal })), "409 Conflict");
  assert.deepEqual(await client.get(configMaps, ref, { signal }), updated);
  const listed = await client.list(configMaps, { namespace, fieldSelector: "metadata.name=crud" }, { signal });
  assert.deepEqual(
    listed.items.map(({ data }) => data),
    [{ a: "2" }],
  );
  assert.equal(await client.delete(configMaps, ref, { signal }), "deleted");
  assert.equal(await client.delete(configMaps, ref, { signal }), "absent");
});

test("a deletion with the UID or version of another object is refused; with finalizers it is deleted and still there", async () => {
  const ref = { name: "precious", namespace };
  const first = await client.create(configMaps, { metadata: { ...ref, finalizers: ["example.com/wait"] } }, { signal });
  assert.equal(
    await refusal(client.delete(configMaps, ref, { signal, uid: "00000000-0000-0000-0000-000000000000" })),
    "409 Conflict",
  );
  assert.equal(await refusal(client.delete(configMaps, ref, { signal, resourceVersion: "1" })), "409 Conflict");
  assert.equal(
    await client.delete(configMaps, ref, { signal, uid: first.metadata.uid ?? "", propagationPolicy: "Background" }),
    "deleted",
  );
  const waiting = await client.get(configMaps, ref, { signal });
  assert.ok(waiting?.metadata.deletionTimestamp);
  await client.patch(configMaps, ref, { type: "json", body: [{ op: "remove", path: "/metadata/finalizers" }] }, { signal });
  assert.equal(await client.get(configMaps, ref, { signal }), undefined);
});

test("patches of all four types, fields of other owners included", async () => {
  const ref = { name: "patched", namespace };
  const patch = (type: "merge" | "json" | "strategic" | "apply", body: unknown, more = {}) =>
    client.patch(configMaps, ref, { type, body, ...more }, { signal });
  const applied = (data: Record<string, string>) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: ref, data });
  await patch("apply", applied({ a: "1" }), { fieldManager: "one" });
  await patch("merge", { data: { b: "2" } });
  await patch("json", [{ op: "add", path: "/data/c", value: "3" }]);
  const all = await patch("strategic", { data: { d: "4" } });
  assert.deepEqual(all.data, { a: "1", b: "2", c: "3", d: "4" });
  assert.equal(await refusal(patch("apply", applied({ a: "x" }), { fieldManager: "two" })), "409 Conflict");
  assert.equal((await patch("apply", applied({ a: "x" }), { fieldManager: "two", force: true })).data?.["a"], "x");
});

test("a status is written by itself", async () => {
  const node = await client.create(nodes, { metadata: { name: "node-1" }, spec: { podCIDR: "10.0.0.0/24" } }, { signal });
  const conditions = [{ type: "Ready", status: "True", reason: "r", message: "m" }];
  await client.updateStatus(nodes, { ...node, spec: {}, status: { conditions } }, { signal });
  const body = { status: { nodeInfo: { kernelVersion: "6.1" } } };
  const patched = await client.patch(nodes, { name: "node-1" }, { type: "strategic", body, subresource: "status" }, { signal });
  assert.deepEqual(
    [patched.spec?.podCIDR, patched.status?.conditions, patched.status?.nodeInfo?.kernelVersion],
    ["10.0.0.0/24", [{ ...conditions[0], lastHeartbeatTime: null, lastTransitionTime: null }], "6.1"],
  );
});

test("metadata alone is what get, list and watch give when asked for it", async () => {
  await client.create(pods, pod("meta"), { signal });
  const selection = { namespace, fieldSelector: "metadata.name=meta" };
  const got = await client.get(pods, { name: "meta", namespace }, { signal, metadataOnly: true });
  const listed = await client.list(pods, selection, { signal, metadataOnly: true });
  const watched: KubeObject[] = [];
  for await (const event of client.watch(pods, { ...selection, sendInitialEvents: true }, { signal, metadataOnly: true })) {
    if (event.type === "BOOKMARK") break;
    watched.push(event.object);
  }
  for (const object of [got, listed.items[0], watched[0]]) {
    assert.deepEqual([object?.metadata.name, Object.keys(object ?? {}).sort()], ["meta", ["apiVersion", "kind", "metadata"]]);
  }
});

test("a long list comes in pages of one moment", async () => {
  await client.create(namespaces, { metadata: { name: "pages" } }, { signal });
  const names = Array.from({ length: 25 }, (_, index) => `p${String(index).padStart(2, "0")}`);
  await Promise.all(names.map((name) => client.create(configMaps, { metadata: { name, namespace: "pages" } }, { signal })));
  const pages: string[][] = [];
  for await (const { items } of client.pages(configMaps, { namespace: "pages" }, { signal, pageSize: 10 })) {
    pages.push(items.map(({ metadata }) => metadata.name));
    await client.delete(configMaps, { name: `p${20 + pages.length}`, namespace: "pages" }, { signal });
  }
  assert.deepEqual(pages, [names.slice(0, 10), names.slice(10, 20), names.slice(20)]);
});

test("a list whose moment is forgotten between two pages is fetched in one piece", async () => {
  const names = Array.from({ length: 12 }, (_, index) => `q${String(index).padStart(2, "0")}`);
  await client.create(namespaces, { metadata: { name: "forgotten" } }, { signal });
  await Promise.all(names.map((name) => client.create(configMaps, { metadata: { name, namespace: "forgotten" } }, { signal })));
  const forget = async () => {
    await client.create(configMaps, configMap("more"), { signal });
    await server.compact();
    await server.kill();
    await server.start();
  };
  using session = createSession(server.config, { ...deps, clock: realClock });
  const { call } = createCaller(session);
  const sizes: (string | null)[] = [];
  const sabotaged: Call = async (method, path, ...rest) => {
    const query = new URL(path, server.url).searchParams;
    sizes.push(query.get("limit"));
    if (query.has("continue")) await forget();
    return call(method, path, ...rest);
  };
  const { items } = await listAll(sabotaged, configMaps, { namespace: "forgotten" }, { signal, pageSize: 5 });
  assert.deepEqual([items.map(({ metadata }) => metadata.name), sizes], [names, ["5", "5", null]]);
});

test("a resource that the server does not know is an error, not an absent object", async () => {
  const unknown: Resource = { group: "example.com", version: "v1", plural: "things", kind: "Thing", namespaced: false };
  const wrong: Resource = { group: "", version: "v1", plural: "things", kind: "Thing", namespaced: false };
  for (const resource of [unknown, wrong]) {
    assert.match(String(await refusal(client.get(resource, { name: "x" }, { signal }))), /^404/);
    assert.match(String(await refusal(client.delete(resource, { name: "x" }, { signal }))), /^404/);
  }
  assert.equal(await client.get(pods, { name: "x", namespace: "no-such-namespace" }, { signal }), undefined);
});

test("what is invalid or forbidden is refused with its reason", async () => {
  assert.equal(await refusal(client.create(pods, { ...pod("x"), spec: { containers: [] } }, { signal })), "422 Invalid");
  assert.equal(await refusal(server.clientFor("jane").list(pods, {}, { signal })), "403 Forbidden");
  assert.equal((await client.raw({ method: "GET", path: "/readyz" }, { signal })).body, "ok");
  assert.equal((await client.raw({ method: "GET", path: "/none" }, { signal })).status, 404);
});

test("a client may speak as somebody else", async () => {
  using asJane = createKubeClient({ ...server.config, impersonate: { user: "jane", groups: ["one", "two"] } }, deps);
  assert.equal(await refusal(asJane.list(pods, {}, { signal })), "403 Forbidden");
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
  const review = await asJane.raw(
    { method: "POST", path: "/apis/authentication.k8s.io/v1/selfsubjectreviews", body },
    { signal },
  );
  const { userInfo } = (JSON.parse(review.body) as { status: { userInfo: { username: string; groups: string[] } } }).status;
  assert.deepEqual(userInfo, { username: "jane", groups: ["one", "two", "system:authenticated"] });
});

test("a token that expires is read again from its file, by requests and by watches", async () => {
  const path = join(server.directory, "rotating-token");
  const issue = () => server.tokenFor("rotating", ["system:masters"]);
  const first = issue();
  await writeFile(path, first);
  using rotating = createKubeClient({ ...server.config, credentials: { kind: "token-file", path } }, deps);
  await rotating.list(pods, { namespace }, { signal });
  const second = issue();
  await server.revokeToken(first);
  assert.equal(await refusal(rotating.list(pods, { namespace }, { signal })), "401 Unauthorized");
  await writeFile(path, second);
  await rotating.list(pods, { namespace }, { signal });
  const third = issue();
  await server.revokeToken(second);
  await writeFile(path, third);
  for await (const event of rotating.watch(pods, { namespace, sendInitialEvents: true }, { signal }))
    if (event.type === "BOOKMARK") break;
});

test("429 is waited for as long as the server says and repeated", async () => {
  const log: string[] = [];
  const quiet = { ...silentLog, debug: (fields: object, message: string) => log.push(`${message} ${JSON.stringify(fields)}`) };
  const greedyConfig = server.configFor("greedy");
  using greedy = createKubeClient(greedyConfig, { ...deps, log: quiet });
  await client.create(
    clusterRoleBindings,
    {
      metadata: { name: "greedy" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "greedy" }],
    },
    { signal },
  );
  const level = {
    type: "Limited",
    limited: { nominalConcurrencyShares: 0, lendablePercent: 0, limitResponse: { type: "Reject" } },
  };
  await client.create(priorityLevels, { metadata: { name: "none" }, spec: level }, { signal });
  const rules = [
    {
      subjects: [{ kind: "User", user: { name: "greedy" } }],
      resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"], namespaces: ["*"] }],
    },
  ];
  const spec = { matchingPrecedence: 2, priorityLevelConfiguration: { name: "none" }, rules };
  await client.create(flowSchemas, { metadata: { name: "greedy" }, spec }, { signal });
  // The server lets in one request at a time: one whose body never comes. It takes the rule up a moment after we wrote it, and may
  // refuse that request in favour of the other, so this is repeated until ours is the one that is refused.
  const { token } = greedyConfig.credentials as { token: string };
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json", "content-length": "100" };
  const url = `${server.url}/api/v1/namespaces/${namespace}/configmaps`;
  let took = 0;
  for (let tries = 0; tries < 50 && !log.some((line) => line.includes("429")); tries++) {
    const slow = request(url, { method: "POST", headers, rejectUnauthorized: false }).on("error", () => undefined);
    slow.write("{");
    await sleep(100);
    const started = performance.now();
    const pending = greedy.list(pods, { namespace }, { signal });
    await sleep(300);
    slow.destroy();
    await pending;
    took = performance.now() - started;
  }
  assert.ok(took >= 950 && took < 4000, `${took} ms`);
  assert.match(log.at(-1) ?? "", /the server asks to come again later .*"status":429,"seconds":1/);
});

test("a server that stands still is a time-out, every call can be aborted meanwhile, and all is well when it goes on", async () => {
  const ref = { name: "meta", namespace };
  const options = { signal, timeoutMs: 300 };
  await client.get(configMaps, ref, { signal });
  server.freeze();
  try {
    assert.equal(await refusal(client.get(configMaps, ref, options)), "ETIMEDOUT");
    assert.equal(await refusal(client.watch(configMaps, { namespace }, options).next()), "ETIMEDOUT");
    const calls: Record<string, (client: KubeClient, signal: AbortSignal) => Promise<unknown>> = {
      get: (client, signal) => client.get(configMaps, ref, { signal }),
      list: (client, signal) => client.list(configMaps, {}, { signal }),
      pages: (client, signal) => client.pages(configMaps, {}, { signal }).next(),
      create: (client, signal) => client.create(configMaps, configMap("late"), { signal }),
      update: (client, signal) => client.update(configMaps, configMap("late"), { signal }),
      updateStatus: (client, signal) => client.updateStatus(nodes, { metadata: { name: "x" } }, { signal }),
      patch: (client, signal) => client.patch(configMaps, ref, { type: "merge", body: {} }, { signal }),
      delete: (client, signal) => client.delete(configMaps, { name: "none", namespace }, { signal }),
      watch: (client, signal) => client.watch(configMaps, {}, { signal }).next(),
      raw: (client, signal) => client.raw({ method: "GET", path: "/readyz" }, { signal }),
    };
    for (const [name, call] of Object.entries(calls)) {
      const aborting = new AbortController();
      const reason = new Error(`enough of ${name}`);
      const pending = call(client, aborting.signal);
      setTimeout(() => aborting.abort(reason), 20);
      await assert.rejects(pending, (error) => error === reason, name);
      await assert.rejects(call(client, AbortSignal.abort(reason)), (error) => error === reason, name);
    }
  } finally {
    server.thaw();
  }
  await client.get(configMaps, ref, { signal });
});

test("a watch that is left or aborted closes its connection", async () => {
  const aborting = new AbortController();
  const reason = new Error("enough");
  const events = client.watch(configMaps, { namespace: "kube-public", sendInitialEvents: true }, { signal: aborting.signal });
  for (let event = await events.next(); !event.done && event.value.type !== "BOOKMARK"; ) event = await events.next();
  const next = events.next();
  aborting.abort(reason);
  await assert.rejects(next, (error) => error === reason);
  for await (const _ of client.watch(configMaps, { sendInitialEvents: true }, { signal })) break;
});

test("reading goes on after a restart of the server, without an error", async () => {
  await client.get(configMaps, { name: "x", namespace }, { signal });
  await server.restart();
  await client.get(configMaps, { name: "x", namespace }, { signal });
  await server.kill();
  assert.equal(await refusal(client.get(configMaps, { name: "x", namespace }, { signal })), "ECONNREFUSED");
  await server.start();
  await client.get(configMaps, { name: "x", namespace }, { signal });
});

test("a server's certificate is verified, and a renewed CA file is taken up", async () => {
  const caFile = join(server.directory, "other-ca.crt");
  await writeFile(caFile, "");
  using distrustful = createKubeClient({ ...server.config, tls: { caFile } }, deps);
  assert.match(String(await refusal(distrustful.list(pods, {}, { signal }))), /CERT|VERIFY|ISSUER/);
  await writeFile(caFile, await readFile(server.caFile));
  await distrustful.list(pods, { namespace }, { signal });
  using misnamed = createKubeClient({ ...server.config, tls: { caFile, serverName: "other.example" } }, deps);
  assert.equal(await refusal(misnamed.list(pods, {}, { signal })), "ERR_TLS_CERT_ALTNAME_INVALID");
  using careless = createKubeClient({ ...server.config, tls: { insecure: true } }, deps);
  await careless.list(pods, { namespace }, { signal });
});

test("isApiError() narrows errors of the server", async () => {
  const error: unknown = await client
    .create(configMaps, configMap("kube-root"), { signal })
    .then(() => client.create(configMaps, configMap("kube-root"), { signal }))
    .catch((e: unknown) => e);
  assert.ok(isApiError(error, "AlreadyExists") && error.details?.name === "kube-root");
});
