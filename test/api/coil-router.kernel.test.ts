import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { LABEL_NODE, LABEL_POOL } from "../../src/crd/names.ts";
import { addressBlocks } from "../../src/crd/resources.ts";
import { createKubeClient } from "../../src/kube/client.ts";
import { silentLog } from "../../src/kube/log.ts";
import { nodes } from "../../src/kube/resources.ts";
import { createSilentLogger } from "../../src/observe/logger.ts";
import { runRouter } from "../../src/router/router.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { type IpamCluster, startIpamCluster } from "../support/ipam-cluster.ts";
import { createTestNamespace, type TestNamespace } from "../support/netns.ts";

const signal = new AbortController().signal;

suite("coil-router keeps routes to the blocks of other nodes", () => {
  let cluster: IpamCluster;
  let host: TestNamespace;
  before(async () => {
    cluster = await startIpamCluster();
    host = await createTestNamespace();
    await host.ip("link add eth0 type veth peer name other");
    await host.ip("link set other up");
    await host.ip("link set eth0 addrgenmode none up");
    await host.ip("addr add 192.0.2.1/24 dev eth0");
    await host.ip("addr add 2001:db8::1/64 dev eth0 nodad");
    for (const n of [1, 2, 3]) await addNode(`node-${n}`, `192.0.2.${n}`, `2001:db8::${n}`);
  });
  after(async () => {
    await host[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  const addNode = async (name: string, ...addresses: string[]) => {
    await cluster.addNode(name);
    await setAddresses(name, ...addresses);
  };
  const setAddresses = async (name: string, ...addresses: string[]) => {
    const node = await cluster.client.get(nodes, { name }, { signal });
    assert.ok(node);
    const internal = addresses.map((address) => ({ type: "InternalIP", address }));
    const status = { ...node.status, addresses: [{ type: "Hostname", address: name }, ...internal] };
    await cluster.client.updateStatus(nodes, { ...node, status }, { signal });
  };
  const addBlock = (name: string, node: string, networks: { ipv4?: string; ipv6?: string }) => {
    const metadata = { name, labels: { [LABEL_POOL]: "default", [LABEL_NODE]: node } };
    return cluster.client.create(addressBlocks, { metadata, index: 0, ...networks }, { signal });
  };
  const removeBlock = (name: string) => cluster.client.delete(addressBlocks, { name }, { signal });

  /** Routes of our protocol, both families, as `ip` prints them. */
  const shown = async () => {
    const text = `${await host.ip("-4 route show proto 31")}\n${await host.ip("-6 route show proto 31")}`;
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.replace(/ metric 1024.*$/, ""))
      .sort();
  };
  const routesAre = async (wanted: readonly string[], timeoutMs = 1_000) => {
    let last: string[] = [];
    const isSo = async () => {
      last = await shown();
      return JSON.stringify(last) === JSON.stringify(wanted);
    };
    await eventually("the routes", timeoutMs, isSo).catch(() => assert.deepStrictEqual(last, wanted));
  };

  const startRouter = async () => {
    const [metrics, health] = [await freePort(), await freePort()];
    const account = "system:serviceaccount:kube-system:coil-router";
    const client = createKubeClient(cluster.api.configFor(account), { log: silentLog, userAgent: "coil-router" });
    const stopping = new AbortController();
    const flags = {
      "metrics-addr": `127.0.0.1:${metrics}`,
      "health-addr": `127.0.0.1:${health}`,
      "protocol-id": 31,
      "update-interval": 600_000,
    };
    const deps = { client, node: "node-1", log: createSilentLogger(), namespace: host.ns };
    const running = runRouter(deps, flags, stopping.signal);
    const read = async (port: number, path: string) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
      return { status: response?.status, text: (await response?.text()) ?? "" };
    };
    await eventually("the router listens", 10_000, async () => (await read(health, "/healthz")).status === 200);
    return {
      metrics: async () => (await read(metrics, "/metrics")).text,
      readiness: async () => (await read(health, "/readyz")).status,
      async [Symbol.asyncDispose]() {
        stopping.abort(new Error("The test is over"));
        await running;
        client[Symbol.dispose]();
      },
    };
  };
  const ready = (router: { readiness(): Promise<number | undefined> }) =>
    eventually("the router is ready", 10_000, async () => (await router.readiness()) === 200);

  test("stale routes go when all blocks are known, not before, also when there are none; foreign routes stay", async () => {
    await host.ip("route add 10.99.0.0/31 via 192.0.2.9 proto 31");
    await host.ip("route add 10.98.0.0/31 via 192.0.2.9 proto static");
    cluster.api.freeze();
    await using router = await startRouter();
    await sleep(1_000);
    assert.deepStrictEqual(await shown(), ["10.99.0.0/31 via 192.0.2.9 dev eth0"]);
    assert.equal(await router.readiness(), 503);
    cluster.api.thaw();
    await routesAre([], 10_000);
    await ready(router);
    assert.equal(await host.ip("route show proto static"), "10.98.0.0/31 via 192.0.2.9 dev eth0");
    assert.match(await router.metrics(), /^coil_router_syncs_total\{node="node-1"\} 1$/m);
  });

  test("blocks of other nodes are routed within a second, own ones and those of unknown nodes are not", async () => {
    await using router = await startRouter();
    await ready(router);
    await addBlock("a", "node-2", { ipv4: "10.2.0.0/31", ipv6: "fd02::/127" });
    await addBlock("b", "node-3", { ipv4: "10.2.0.2/31" });
    await addBlock("own", "node-1", { ipv4: "10.2.0.4/31" });
    await addBlock("lost", "node-9", { ipv4: "10.2.0.6/31" });
    const routes = [
      "10.2.0.0/31 via 192.0.2.2 dev eth0",
      "10.2.0.2/31 via 192.0.2.3 dev eth0",
      "fd02::/127 via 2001:db8::2 dev eth0",
    ];
    await routesAre(routes);
    await eventually("metrics", 1_000, async () =>
      (await router.metrics()).includes('coil_router_routes_synced{node="node-1"} 3\n'),
    );
    // A block that moves, a node whose address changes, a node that joins, one that leaves.
    const body = { metadata: { labels: { [LABEL_NODE]: "node-3" } } };
    await cluster.client.patch(addressBlocks, { name: "a" }, { type: "merge", body }, { signal });
    await routesAre([
      "10.2.0.0/31 via 192.0.2.3 dev eth0",
      "10.2.0.2/31 via 192.0.2.3 dev eth0",
      "fd02::/127 via 2001:db8::3 dev eth0",
    ]);
    await setAddresses("node-3", "192.0.2.33", "2001:db8::33");
    await routesAre([
      "10.2.0.0/31 via 192.0.2.33 dev eth0",
      "10.2.0.2/31 via 192.0.2.33 dev eth0",
      "fd02::/127 via 2001:db8::33 dev eth0",
    ]);
    await addNode("node-9", "192.0.2.9");
    await cluster.client.delete(nodes, { name: "node-3" }, { signal });
    await routesAre(["10.2.0.6/31 via 192.0.2.9 dev eth0"]);
    await Promise.all(["a", "b", "own", "lost"].map(removeBlock));
    await routesAre([]);
  });

  test("a route that the kernel refuses stops no other, is counted, and comes when it can", async () => {
    await using router = await startRouter();
    await ready(router);
    await addNode("far", "198.51.100.7");
    await addBlock("bad", "far", { ipv4: "10.3.0.0/31" });
    await addBlock("good", "node-2", { ipv4: "10.3.0.2/31" });
    await routesAre(["10.3.0.2/31 via 192.0.2.2 dev eth0"]);
    await eventually("the failure is counted", 2_000, async () =>
      (await router.metrics()).includes('coil_router_failed_routes{node="node-1"} 1\n'),
    );
    await host.ip("addr add 198.51.100.1/24 dev eth0");
    await routesAre(["10.3.0.0/31 via 198.51.100.7 dev eth0", "10.3.0.2/31 via 192.0.2.2 dev eth0"], 3_000);
    await eventually("nothing fails any more", 2_000, async () =>
      (await router.metrics()).includes('coil_router_failed_routes{node="node-1"} 0\n'),
    );
    await Promise.all(["bad", "good"].map(removeBlock));
  });

  test("a route that somebody removes is back within a second and counted", async () => {
    await using router = await startRouter();
    await addBlock("kept", "node-2", { ipv4: "10.4.0.0/31" });
    await routesAre(["10.4.0.0/31 via 192.0.2.2 dev eth0"], 10_000);
    await host.ip("route del 10.4.0.0/31");
    await routesAre(["10.4.0.0/31 via 192.0.2.2 dev eth0"]);
    await eventually("the repair is counted", 2_000, async () =>
      /^coil_drift_repaired_total\{kind="main-route"\} 1$/m.test(await router.metrics()),
    );
    await removeBlock("kept");
  });
});
