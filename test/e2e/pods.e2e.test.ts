import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { pingAll } from "../../lab/demo/reachability.ts";
import type { KubeObject } from "../../src/kube/object.ts";
import { eventually } from "../support/eventually.ts";
import { eventsOf, startLab, type TestLab } from "../support/lab.ts";
import { addressPool, deployment, namespace, pod, service } from "../support/lab-objects.ts";

let lab: TestLab;
before(async () => {
  lab = await startLab({ nodes: 3, family: "dual" });
});
after(() => lab?.[Symbol.asyncDispose]());

/** An HTTP server that answers with the name of its pod. */
const SERVER = [
  process.execPath,
  "-e",
  `require("http").createServer((q, s) => s.end(require("os").hostname())).listen(8080, "::")`,
];
const FETCH = `fetch(process.argv[1]).then((r) => r.text()).then((t) => process.stdout.write(t))`;

test("75 pods of three pools, two of them dual stack, over three nodes reach each other, and leave nothing behind", async () => {
  const { kubectl } = lab;
  await kubectl.apply([
    addressPool("default", 5, { ipv4: "10.100.0.0/20", ipv6: "fd10:100::/116" }),
    addressPool("single", 0, { ipv4: "10.101.0.0/26", ipv6: "fd10:101::/122" }),
    addressPool("ipv4-global", 2, { ipv4: "198.51.100.0/25" }),
    namespace("one"),
    namespace("two", "single"),
    namespace("three", "ipv4-global"),
    ...["one", "two", "three"].map((name) => deployment(name, "app", 25)),
  ]);
  const placed = (await Promise.all(["one", "two", "three"].map((name) => lab.pods(name, 25)))).flat();
  const addresses = placed.flatMap((each) => each.addresses);
  assert.equal(addresses.length, 25 * 5);
  assert.equal(new Set(addresses).size, addresses.length, "no address is given twice");
  assert.deepEqual(new Set(placed.map(({ node }) => node)), new Set(lab.plan.nodes.map(({ name }) => name)));
  for (const { namespace: of, node, block } of placed) {
    assert.equal(block?.pool, { one: "default", two: "single", three: "ipv4-global" }[of]);
    assert.equal(block?.node, node);
  }
  // Each asks some of each node and pool: the list is by namespace and node.
  const { failures, pings } = await pingAll(placed, (source) =>
    Array.from({ length: 12 }, (_, i) => placed[(placed.indexOf(source) + 1 + i * 7) % placed.length]).filter(
      (each) => each !== undefined,
    ),
  );
  assert.deepEqual(failures, []);
  assert.ok(pings > 75 * 12);
  await lab.deleteAll("ns/one", "ns/two", "ns/three", "addresspool/default", "addresspool/single", "addresspool/ipv4-global");
});

test("the namespace chooses the pool, and a pod cannot", async () => {
  const { kubectl } = lab;
  await kubectl.apply([
    addressPool("default", 3, { ipv4: "10.100.0.0/24" }),
    addressPool("special", 1, { ipv4: "10.101.0.0/24" }),
    namespace("plain"),
    namespace("annotated", "special"),
    namespace("astray", "nowhere"),
    deployment("plain", "wishful", 1, { annotations: { "coil.cybozu.com/pool": "special" } }),
    deployment("annotated", "app", 1),
    deployment("astray", "app", 1),
  ]);
  const [[wishful], [annotated]] = await Promise.all([lab.pods("plain", 1), lab.pods("annotated", 1)]);
  assert.match(wishful?.addresses[0] ?? "", /^10\.100\.0\./);
  assert.match(annotated?.addresses[0] ?? "", /^10\.101\.0\./);
  const [message] = await eventually("an event for a pool that is not there", 20_000, async () => {
    const found = await eventsOf(kubectl, "astray", "FailedCreatePodSandBox");
    return found.length > 0 && found;
  });
  assert.match(message ?? "", /astray\/app-\S+ from pool nowhere: there is no such pool/);

  // It begins to work as soon as the pool is there, and later changes of a namespace concern later pods only.
  await kubectl.apply([addressPool("nowhere", 0, { ipv4: "10.102.0.0/30" })]);
  const [astray] = await lab.pods("astray", 1);
  assert.match(astray?.addresses[0] ?? "", /^10\.102\.0\./);
  await kubectl.apply([namespace("plain", "special"), deployment("plain", "later", 1)]);
  const both = await lab.pods("plain", 2);
  assert.deepEqual(both.map(({ block }) => block?.pool).toSorted(), ["default", "special"]);
  await lab.deleteAll(
    "ns/plain",
    "ns/annotated",
    "ns/astray",
    "addresspool/default",
    "addresspool/special",
    "addresspool/nowhere",
  );
});

test("a pool that is full says so, and subnets appended to it help at once", async () => {
  const { kubectl } = lab;
  const first = { ipv4: "10.103.0.0/31", ipv6: "fd10:103::/127" };
  await kubectl.apply([addressPool("tiny", 0, first), namespace("crowd", "tiny"), deployment("crowd", "app", 4)]);
  await lab.pods("crowd", 2);
  const messages = await eventually("an event for a full pool", 20_000, async () => {
    const found = await eventsOf(kubectl, "crowd", "FailedCreatePodSandBox");
    return found.length > 0 && found;
  });
  assert.match(messages.join("\n"), /from pool tiny: the pool has no free block/);
  await kubectl.apply([addressPool("tiny", 0, first, { ipv4: "10.200.0.0/31", ipv6: "fd10:200::/127" })]);
  const placed = await lab.pods("crowd", 4);
  const bySubnet = placed
    .map(({ addresses }) => addresses.map((text) => text.split(/[.:]/).slice(0, 2).join()).join(" "))
    .toSorted();
  assert.deepEqual(bySubnet, ["10,103 fd10,103", "10,103 fd10,103", "10,200 fd10,200", "10,200 fd10,200"]);
  await lab.deleteAll("ns/crowd", "addresspool/tiny");
});

test("Services lead to pods from pods, from nodes and from pods on their node's network, in both families", async () => {
  const { kubectl } = lab;
  await kubectl.apply([
    addressPool("web", 2, { ipv4: "10.104.0.0/24", ipv6: "fd10:104::/120" }),
    namespace("web", "web"),
    ...lab.plan.nodes.map(({ name }, i) => pod("web", `server-${i}`, { node: name, command: SERVER })),
    service("web", "server-0", 8080),
    pod("web", "host", { hostNetwork: true, node: "coil-worker2" }),
  ]);
  const placed = await lab.pods("web", 3);
  const [found] = await kubectl.list<KubeObject & { spec: { clusterIPs: string[] } }>("services", "-n", "web");
  const urls = (found?.spec.clusterIPs ?? []).map((address) => `http://${address.includes(":") ? `[${address}]` : address}/`);
  assert.equal(urls.length, 2);
  for (const url of urls) {
    const fetched = () => Promise.all(placed.map((each) => lab.inPod(each, process.execPath, "-e", FETCH, url).catch(() => "")));
    await eventually(`${url} answers in all pods`, 20_000, async () => (await fetched()).every((text) => text === "server-0"));
    const onHost = { namespace: "web", name: "host", node: "", netns: "", addresses: [] };
    assert.equal(await lab.inPod(onHost, process.execPath, "-e", FETCH, url), "server-0");
  }
  await lab.deleteAll("ns/web", "addresspool/web");
});

test("a Job's pod gives its address back when it has ended, and its log stays", async () => {
  const { kubectl } = lab;
  const job = (name: string) => ({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace: "batch" },
    spec: {
      template: {
        spec: {
          restartPolicy: "Never",
          nodeSelector: { "kubernetes.io/hostname": "coil-worker" },
          containers: [{ name: "main", image: "none", command: ["hostname"] }],
        },
      },
    },
  });
  // One address, so that each needs that of the one before.
  await kubectl.apply([addressPool("batch", 0, { ipv4: "10.105.0.0/32" }), namespace("batch", "batch")]);
  for (const name of ["first", "second", "third"]) {
    await kubectl.apply([job(name)]);
    await kubectl.run("wait", "-n", "batch", "--for=condition=Complete", "--timeout=30s", `job/${name}`);
    assert.match(await kubectl.run("logs", "-n", "batch", `job/${name}`), new RegExp(`^${name}-\\S+\n$`));
  }
  await lab.deleteAll("ns/batch", "addresspool/batch");
});
