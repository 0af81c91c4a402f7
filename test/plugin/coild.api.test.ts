/** The whole way of a pod's network: libcni, the executable, coild, the controller, the API server and the kernel. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { basename, dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, suite, test } from "node:test";
import type { CniResult } from "../../src/cni/result.ts";
import { runCoild } from "../../src/daemon/coild/coild.ts";
import { COILD_FLAGS } from "../../src/daemon/coild/flags.ts";
import { createKubeClient } from "../../src/kube/client.ts";
import { silentLog } from "../../src/kube/log.ts";
import { namespaces, nodes, pods } from "../../src/kube/resources.ts";
import { parseFlags } from "../../src/observe/flags.ts";
import { createSilentLogger } from "../../src/observe/logger.ts";
import { callRuntime, type RuntimeRequest } from "../support/cni-client/client.ts";
import { eventually } from "../support/eventually.ts";
import { type IpamCluster, startIpamCluster } from "../support/ipam-cluster.ts";
import { createTestNamespace, type TestNamespace } from "../support/netns.ts";
import { runCoil, staticForm } from "../support/run-coil.ts";
import { createTemporaryDirectory, type TemporaryDirectory } from "../support/temporary-directory.ts";

const NODE = "node-1";
const signal = new AbortController().signal;

suite("a container runtime attaches pods through the plugin and coild", () => {
  const stack = new AsyncDisposableStack();
  let cluster: IpamCluster;
  let host: TestNamespace;
  let directory: TemporaryDirectory;
  let binary: string;
  let socket: string;
  let serial = 0;

  before(async () => {
    binary = (await staticForm()).command[0];
    directory = stack.use(await createTemporaryDirectory("coil-node-"));
    socket = join(directory.path, "coild.sock");
    host = stack.use(await createTestNamespace());
    await host.ip("address add 192.0.2.1/32 dev lo");
    await host.ip("address add 2001:db8::1/128 dev lo");
    cluster = stack.use(await startIpamCluster());
    stack.use(await cluster.startController());
    const addresses = ["192.0.2.1", "2001:db8::1"].map((address) => ({ type: "InternalIP", address }));
    const node = await cluster.client.create(nodes, { metadata: { name: NODE } }, { signal });
    await cluster.client.updateStatus(nodes, { ...node, status: { addresses } }, { signal });
    await cluster.addPool("default", { blockSizeBits: 3, subnets: [{ ipv4: "10.64.0.0/24", ipv6: "fd64::/120" }] });
    await cluster.client.create(namespaces, { metadata: { name: "web" } }, { signal });
  });
  after(() => stack.disposeAsync());

  /** A coild of the node, in this process and the node's network namespace. Disposing stops it as SIGTERM does. */
  async function startCoild(): Promise<AsyncDisposable> {
    const parsed = parseFlags(COILD_FLAGS, [`--socket=${socket}`, "--metrics-addr=0", "--health-addr=0"]);
    assert.ok(parsed.kind === "values");
    const config = cluster.api.configFor("system:serviceaccount:kube-system:coild");
    const client = createKubeClient(config, { log: silentLog, userAgent: "coild" });
    const stopping = new AbortController();
    const running = runCoild(
      { client, node: NODE, log: createSilentLogger(), namespace: host.ns },
      parsed.values,
      stopping.signal,
    );
    running.catch(() => undefined);
    await eventually("coild is ready", 15_000, async () => (await call("STATUS", "1.1.0", {})).error === undefined);
    return {
      async [Symbol.asyncDispose]() {
        stopping.abort(new Error("The test is over"));
        await running;
        client[Symbol.dispose]();
      },
    };
  }

  /** A pod of this node with a namespace of its own. */
  async function startPod() {
    const name = `pod-${serial++}`;
    const created = await cluster.client.create(
      pods,
      { metadata: { name, namespace: "web" }, spec: { nodeName: NODE, containers: [{ name: "c", image: "none" }] } },
      { signal },
    );
    const space = await createTestNamespace();
    const args = [
      ["IgnoreUnknown", "1"],
      ["K8S_POD_NAMESPACE", "web"],
      ["K8S_POD_NAME", name],
      ["K8S_POD_INFRA_CONTAINER_ID", name],
      ["K8S_POD_UID", created.metadata.uid ?? ""],
    ] as const;
    return {
      space,
      request: { containerId: name, netns: space.path, args },
      [Symbol.asyncDispose]: () => space[Symbol.asyncDispose](),
    };
  }

  function call(
    command: RuntimeRequest["command"],
    cniVersion: string,
    request: Partial<RuntimeRequest>,
    { behind = [], name = "net" }: { behind?: readonly object[]; name?: string } = {},
  ) {
    const confList = { cniVersion, name, plugins: [{ type: basename(binary), socket }, ...behind] };
    const binDirs = [dirname(binary), "/usr/lib/cni"];
    const cacheDir = join(directory.path, "cache");
    return callRuntime({ command, confList, binDirs, cacheDir, ifname: "eth0", ...request }, { host: host.path });
  }

  /** What coild itself believes. */
  async function attachments(): Promise<unknown[]> {
    const [response] = (await once(get({ socketPath: socket, path: "/v1/state" }), "response")) as [IncomingMessage];
    return JSON.parse(await text(response)).attachments;
  }

  const links = async () => (await host.ip("-o link show type veth")).split("\n").filter((line) => line !== "").length;
  const table = async () =>
    (await Promise.all([host.ip("-4 route show table 116"), host.ip("-6 route show table 116")])).join("\n").trim();

  test("ADD, CHECK and DEL in every version leave nothing behind", async () => {
    await using _ = await startCoild();
    for (const cniVersion of ["0.3.1", "0.4.0", "1.0.0", "1.1.0"]) {
      await using pod = await startPod();
      const added = await call("ADD", cniVersion, pod.request);
      assert.equal(added.error, undefined, JSON.stringify(added));
      const { interfaces = [], ips = [], routes = [] } = added.result as CniResult;
      const [ipv4 = "", ipv6 = ""] = ips.map(({ address }) => address.split("/")[0] as string);
      assert.match(`${ipv4} ${ipv6}`, /^10\.64\.0\.\d+ fd64::/);
      assert.deepEqual(
        [interfaces.map(({ name }) => name)[0], interfaces[0]?.mtu !== undefined, routes.length > 0],
        ["eth0", cniVersion === "1.1.0", true],
      );
      for (const address of [ipv4, ipv6]) await host.exec("ping", "-c1", "-W2", address);
      for (const address of ["192.0.2.1", "2001:db8::1"]) await pod.space.exec("ping", "-c1", "-W2", address);
      if (cniVersion !== "0.3.1") assert.deepEqual(await call("CHECK", cniVersion, pod.request), { result: null });
      for (let i = 0; i < 2; i++) assert.deepEqual(await call("DEL", cniVersion, pod.request), { result: null });
      assert.deepEqual(await call("DEL", cniVersion, { ...pod.request, netns: "" }), { result: null });
    }
    assert.deepEqual([await links(), await table(), await attachments()], [0, "", []]);
  });

  test("CHECK says what is missing in the pod", async () => {
    await using _ = await startCoild();
    await using pod = await startPod();
    assert.equal((await call("ADD", "1.0.0", pod.request)).error, undefined);
    await pod.space.ip("route del default");
    const { error } = await call("CHECK", "1.0.0", pod.request);
    assert.match(`${error?.msg} ${error?.details}`, /0\.0\.0\.0\/0|default/);
    assert.deepEqual(await call("DEL", "1.0.0", pod.request), { result: null });
  });

  test("a DEL while coild is down succeeds, and is carried out when coild is back", async () => {
    await using pod = await startPod();
    {
      await using _ = await startCoild();
      assert.equal((await call("ADD", "1.1.0", pod.request)).error, undefined);
    }
    assert.equal((await call("STATUS", "1.1.0", {})).error?.code, 50);
    assert.equal((await call("ADD", "1.1.0", pod.request)).error?.code, 11);
    for (let i = 0; i < 2; i++) assert.deepEqual(await call("DEL", "1.1.0", pod.request), { result: null });
    const pending = join(directory.path, "coild.pending");
    assert.deepEqual([readdirSync(pending).length, await links()], [1, 1]);
    await using _ = await startCoild();
    await eventually("the link is gone", 5000, async () => (await links()) === 0);
    await eventually("the intent is gone", 5000, async () => readdirSync(pending).length === 0);
    assert.equal(await table(), "");
  });

  test("GC removes the attachments of its network that are not valid, and no others", async () => {
    await using _ = await startCoild();
    await using first = await startPod();
    await using second = await startPod();
    await using other = await startPod();
    for (const pod of [first, second]) assert.equal((await call("ADD", "1.1.0", pod.request)).error, undefined);
    assert.equal((await call("ADD", "1.1.0", other.request, { name: "other" })).error, undefined);
    const validAttachments = [{ containerID: first.request.containerId, ifname: "eth0" }];
    // A runtime that has lost its memory: libcni would delete what it remembers by itself.
    const cacheDir = join(directory.path, "another-cache");
    assert.deepEqual(await call("GC", "1.1.0", { validAttachments, cacheDir }), { result: null });
    assert.equal(await links(), 2);
    assert.equal((await call("CHECK", "1.1.0", first.request)).error, undefined);
    assert.equal((await call("CHECK", "1.1.0", other.request, { name: "other" })).error, undefined);
    assert.equal((await call("CHECK", "1.1.0", second.request)).error?.code, 3);
    for (const pod of [first, second]) assert.equal((await call("DEL", "1.1.0", pod.request)).error, undefined);
    assert.equal((await call("DEL", "1.1.0", other.request, { name: "other" })).error, undefined);
    assert.equal(await links(), 0);
  });

  test("Debian's tuning, bandwidth and portmap work behind it, and nothing may be in front", async () => {
    await using _ = await startCoild();
    await using pod = await startPod();
    const behind = [
      { type: "tuning", capabilities: { mac: true }, mtu: 1400 },
      { type: "bandwidth", capabilities: { bandwidth: true } },
      { type: "portmap", capabilities: { portMappings: true }, snat: true },
    ];
    const capabilityArgs = {
      bandwidth: { ingressRate: 8_000_000, ingressBurst: 8_000_000 },
      portMappings: [{ hostPort: 8080, containerPort: 80, protocol: "tcp" }],
    };
    const added = await call("ADD", "1.0.0", { ...pod.request, capabilityArgs }, { behind });
    assert.equal(added.error, undefined, JSON.stringify(added));
    assert.match(await host.exec("iptables-save", "-t", "nat"), /--dport 8080 -j DNAT --to-destination 10\.64\.0\.\d+:80/);
    // Without portmap: the CHECK of Debian 12's looks for the IPv4 rules in ip6tables.
    assert.deepEqual(await call("CHECK", "1.0.0", { ...pod.request, capabilityArgs }, { behind: behind.slice(0, 2) }), {
      result: null,
    });
    assert.deepEqual(await call("DEL", "1.0.0", { ...pod.request, capabilityArgs }, { behind }), { result: null });
    assert.equal(await links(), 0);

    const env = {
      CNI_COMMAND: "ADD",
      CNI_CONTAINERID: "c",
      CNI_NETNS: pod.space.path,
      CNI_IFNAME: "eth0",
      CNI_ARGS: "K8S_POD_NAMESPACE=web;K8S_POD_NAME=x",
    };
    const input = { cniVersion: "1.1.0", name: "net", type: "coil", socket, prevResult: { cniVersion: "1.1.0" } };
    const chained = await runCoil({ name: "static file", command: [binary] }, { env, input });
    assert.deepEqual([chained.code, chained.output?.code], [1, 7]);
  });

  test("a pod that is killed in the middle of its ADD, at any time, leaves neither link nor address", async () => {
    await using _ = await startCoild();
    await using pod = await startPod();
    const env = {
      ...{ CNI_COMMAND: "ADD", CNI_CONTAINERID: pod.request.containerId, CNI_NETNS: pod.space.path, CNI_IFNAME: "eth0" },
      CNI_ARGS: pod.request.args.map((pair) => pair.join("=")).join(";"),
    };
    const input = { cniVersion: "1.1.0", name: "net", type: "coil", socket };
    for (let ms = 0; ms < 20; ms++) {
      await runCoil({ name: "static file", command: [binary] }, { env, input, signal: AbortSignal.timeout(ms) });
      const del = await runCoil({ name: "static file", command: [binary] }, { env: { ...env, CNI_COMMAND: "DEL" }, input });
      assert.deepEqual([del.code, await links(), await attachments()], [0, 0, []], `${ms} ms`);
    }
    assert.equal(await table(), "");
  });
});
