import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { MAX_DESTINATIONS } from "../../src/crd/egress.ts";
import { egresses } from "../../src/crd/resources.ts";
import { type ApiServer, startApiServer } from "../support/api-server.ts";
import { tryCreate } from "../support/dry-run.ts";
import { applyManifests, kubectl } from "../support/kubectl.ts";

const TIMEOUT_MS = 60_000;
let server: ApiServer;

before(async () => {
  server = await startApiServer();
  await applyManifests(server);
});
after(() => server[Symbol.asyncDispose]());

const WORLD = { destinations: ["0.0.0.0/0", "::/0"] };
const KEY =
  'want up to 63 letters, digits, "-", "_" or "." between letters or digits, after a domain and "/" or alone, for example app.kubernetes.io/part-of';
const SHARE = "is neither a number of pods from 0 nor a percentage from 0% to 100%: write for example 1 or 25%";

const SPECS: [what: string, spec: object, verdict: string[]][] = [
  ["destinations alone", WORLD, []],
  ["destinations with host bits", { destinations: ["192.0.2.1/24"] }, []],
  ["no destination", { destinations: [] }, ["spec.destinations: spec.destinations in body should have at least 1 items"]],
  [
    "an address",
    { destinations: ["192.0.2.1"] },
    ['spec.destinations[0]: "192.0.2.1" has no prefix length: write 192.0.2.1/32 for this one address'],
  ],
  [
    "an IPv6 address",
    { destinations: ["2001:db8::1"] },
    ['spec.destinations[0]: "2001:db8::1" has no prefix length: write 2001:db8::1/128 for this one address'],
  ],
  [
    "no network",
    { destinations: ["0.0.0.0/0", "all"] },
    ['spec.destinations[1]: "all" is not a network: write for example 0.0.0.0/0 or 192.0.2.0/24'],
  ],
  ["no replicas", { ...WORLD, replicas: 0 }, ["spec.replicas: spec.replicas in body should be greater than or equal to 1"]],
  ["Recreate", { ...WORLD, strategy: { type: "Recreate" } }, []],
  [
    "RollingUpdate",
    { ...WORLD, strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "200%", maxUnavailable: 0 } } },
    [],
  ],
  [
    "another strategy",
    { ...WORLD, strategy: { type: "Fast" } },
    ['spec.strategy.type: Unsupported value: "Fast": supported values: "Recreate", "RollingUpdate"'],
  ],
  ["a strategy without type", { ...WORLD, strategy: {} }, ["spec.strategy.type: Required value: give Recreate or RollingUpdate"]],
  [
    "rollingUpdate of Recreate",
    { ...WORLD, strategy: { type: "Recreate", rollingUpdate: { maxSurge: 1 } } },
    ["spec.strategy.rollingUpdate: Forbidden: only for type RollingUpdate: remove it, or set type to RollingUpdate"],
  ],
  [
    "no way to replace",
    { ...WORLD, strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "0%", maxUnavailable: 0 } } },
    ["spec.strategy.rollingUpdate: maxSurge and maxUnavailable must not both be 0: no pod could be replaced"],
  ],
  ["a timeout", { ...WORLD, sessionAffinityConfig: { clientIP: { timeoutSeconds: 86400 } } }, []],
  [
    "a timeout of 0",
    { ...WORLD, sessionAffinityConfig: { clientIP: { timeoutSeconds: 0 } } },
    [
      "spec.sessionAffinityConfig.clientIP.timeoutSeconds: spec.sessionAffinityConfig.clientIP.timeoutSeconds in body should be greater than or equal to 1",
    ],
  ],
  [
    "a timeout without affinity",
    { ...WORLD, sessionAffinity: "None", sessionAffinityConfig: {} },
    ["spec.sessionAffinityConfig: Forbidden: only for sessionAffinity ClientIP: remove it, or set sessionAffinity to ClientIP"],
  ],
  [
    "another affinity",
    { ...WORLD, sessionAffinity: "Cookie" },
    ['spec.sessionAffinity: Unsupported value: "Cookie": supported values: "ClientIP", "None"'],
  ],
  ["an empty budget", { ...WORLD, podDisruptionBudget: {} }, []],
  ["a budget", { ...WORLD, podDisruptionBudget: { minAvailable: "100%" } }, []],
  [
    "two budgets",
    { ...WORLD, podDisruptionBudget: { minAvailable: 1, maxUnavailable: "10%" } },
    ["spec.podDisruptionBudget: minAvailable and maxUnavailable cannot be both set: they are 1 and 10%, remove one"],
  ],
  [
    "more than all",
    { ...WORLD, podDisruptionBudget: { maxUnavailable: "101%" } },
    [`spec.podDisruptionBudget.maxUnavailable: "101%" ${SHARE}`],
  ],
  [
    "less than none",
    { ...WORLD, podDisruptionBudget: { minAvailable: -1 } },
    [`spec.podDisruptionBudget.minAvailable: "-1" ${SHARE}`],
  ],
  [
    "a number as text",
    { ...WORLD, podDisruptionBudget: { minAvailable: "1" } },
    [`spec.podDisruptionBudget.minAvailable: "1" ${SHARE}`],
  ],
  [
    "labels and annotations",
    { ...WORLD, template: { metadata: { labels: { "a.b/c": "d", e: "" }, annotations: { "A.b/c": "any text" } } } },
    [],
  ],
  [
    "a bad label key",
    { ...WORLD, template: { metadata: { labels: { "a b": "c" } } } },
    [`spec.template.metadata.labels: "a b" is not the key of a label: ${KEY}`],
  ],
  [
    "a bad label",
    { ...WORLD, template: { metadata: { labels: { a: "b c" } } } },
    [
      'spec.template.metadata.labels[a]: "b c" is not the value of a label: want up to 63 letters, digits, "-", "_" or "." between letters or digits',
    ],
  ],
  [
    "a bad annotation key",
    { ...WORLD, template: { metadata: { annotations: { "a/b/c": "d" } } } },
    [`spec.template.metadata.annotations: "a/b/c" is not the key of an annotation: ${KEY}`],
  ],
  [
    "a nameless container",
    { ...WORLD, template: { spec: { containers: [{}] } } },
    ["spec.template.spec.containers[0].name: Required value"],
  ],
];

for (const [what, spec, verdict] of SPECS) {
  test(`an Egress with ${what} is ${verdict.length === 0 ? "taken" : "refused"}`, async () => {
    const found = await tryCreate(server, egresses, { metadata: { name: "internet" }, spec });
    assert.deepEqual(
      found.filter((line) => !line.includes("some validation rules were not checked")),
      verdict,
    );
  });
}

test("the name of an Egress is one that a Service can have", async () => {
  const named = (name: string) => tryCreate(server, egresses, { metadata: { name }, spec: WORLD });
  assert.deepEqual(await named("to-the.internet"), [
    'metadata: the name "to-the.internet" has 15 characters and dots: use at most 63 and no dots, because a Service is made with this name',
  ]);
  assert.deepEqual(await named("a".repeat(63)), []);
});

test("an Egress gets its defaults without a webhook, also the gateway's container in a template without containers", async () => {
  const templates = [undefined, {}, { metadata: { labels: { a: "b" } } }, { spec: { containers: null, hostNetwork: true } }];
  const found = await Promise.all(
    templates.map(async (template, i) => {
      const object = {
        metadata: { name: `default-${i}`, namespace: "default" },
        spec: { ...WORLD, ...(template && { template }) },
      };
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const { spec } = await server.client.create(egresses, object as never, { signal });
      return { replicas: spec.replicas, sessionAffinity: spec.sessionAffinity, template: spec.template };
    }),
  );
  const defaults = { replicas: 1, sessionAffinity: "ClientIP" };
  const containers = [{ name: "egress" }];
  assert.deepEqual(found, [
    { ...defaults, template: undefined },
    { ...defaults, template: { spec: { containers } } },
    { ...defaults, template: { metadata: { labels: { a: "b" } }, spec: { containers } } },
    { ...defaults, template: { spec: { containers, hostNetwork: true } } },
  ]);
});

test("a PodSpec in the template of an Egress is kept as it is, with fields nobody has heard of", async () => {
  const spec = {
    containers: [
      { name: "egress", resources: { limits: { memory: "1Gi" } } },
      { name: "side", image: "x", someDay: { a: [1] } },
    ],
    nodeSelector: { role: "gateway" },
    tolerations: [{ operator: "Exists" }],
    someDay: true,
  };
  const object = { metadata: { name: "kept", namespace: "default" }, spec: { ...WORLD, template: { spec } } };
  const stored = await server.client.create(egresses, object as never, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  assert.deepEqual(stored.spec.template?.spec, spec);
});

test("`kubectl scale` sets the replicas of an Egress", async () => {
  const object = { apiVersion: "coil.cybozu.com/v2", kind: "Egress", metadata: { name: "scaled" }, spec: WORLD };
  await kubectl(server, ["create", "-f", "-"], JSON.stringify(object));
  const status = { replicas: 1, selector: "app.kubernetes.io/name=coil" };
  await kubectl(server, ["patch", "egress", "scaled", "--subresource=status", "--type=merge", "-p", JSON.stringify({ status })]);
  await kubectl(server, ["scale", "egress", "scaled", "--replicas=3"]);
  assert.equal(await kubectl(server, ["get", "egress", "scaled", "-o", "jsonpath={.spec.replicas}"]), "3");
  const scale = await kubectl(server, ["get", "--raw", "/apis/coil.cybozu.com/v2/namespaces/default/egresses/scaled/scale"]);
  assert.deepEqual(JSON.parse(scale).status, status);
});

test("the largest Egress is within the API server's budget for rules", async () => {
  const destinations = Array.from(
    { length: MAX_DESTINATIONS },
    (_, i) => `fdab:cdef:1234:5678:9abc:def0:${(0x1000 + i).toString(16)}:0001/112`,
  );
  const keys = Array.from({ length: 256 }, (_, i) => `${"d".repeat(60)}.${"e".repeat(60)}.example/${"k".repeat(60)}${100 + i}`);
  const labels = Object.fromEntries(keys.map((key) => [key, "v".repeat(63)]));
  const spec = { destinations, template: { metadata: { labels, annotations: labels } } };
  assert.deepEqual(await tryCreate(server, egresses, { metadata: { name: "largest" }, spec }), []);
  const verdict = await tryCreate(server, egresses, {
    metadata: { name: "largest" },
    spec: { ...spec, destinations: [...destinations.slice(1), "x"] },
  });
  assert.deepEqual(verdict, [
    `spec.destinations[${MAX_DESTINATIONS - 1}]: "x" is not a network: write for example 0.0.0.0/0 or 192.0.2.0/24`,
  ]);
});
