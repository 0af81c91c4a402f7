/** The plugin driven by libcni, alone and in a chain with Debian's plugins, against a stand-in for coild that makes the veth. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { basename, dirname } from "node:path";
import test from "node:test";
import type { CniResult } from "../../src/cni/result.ts";
import { callRuntime, type RuntimeRequest } from "../support/cni-client/client.ts";
import { createTestNamespace, type TestNamespace } from "../support/netns.ts";
import { staticForm } from "../support/run-coil.ts";
import { type StandIn, standInCoild } from "../support/stand-in-coild.ts";

const [BINARY] = (await staticForm()).command;
const BIN_DIRS = [dirname(BINARY), "/usr/lib/cni"];
const ADDRESSES = ["10.64.0.1/32", "fd02::1/128"];
const ARGS = [
  ["IgnoreUnknown", "1"],
  ["K8S_POD_NAMESPACE", "default"],
  ["K8S_POD_NAME", "web-0"],
  ["K8S_POD_INFRA_CONTAINER_ID", "c1"],
  ["K8S_POD_UID", "u-1"],
] as const;

/** Makes and removes what a pod needs for the plugins behind us, with `ip`. */
function standIn(host: TestNamespace, pod: TestNamespace): Promise<StandIn> {
  return standInCoild(async ({ path, body }) => {
    if (path === "/v1/status") return { ready: true };
    if (path === "/v1/del") await host.ip("link del veth1").catch(() => {});
    if (path !== "/v1/add") return {};
    await host.ip(`link add veth1 type veth peer name ${body.ifname} netns ${pod.path}`);
    await host.ip("link set veth1 up");
    for (const address of ADDRESSES) await pod.ip(`addr add ${address} dev ${body.ifname} nodad`);
    await pod.ip(`link set ${body.ifname} up`);
    const mac = (text: string) => /link\/ether (\S+)/.exec(text)?.[1];
    const interfaces = [
      { name: body.ifname, mac: mac(await pod.ip(`link show ${body.ifname}`)), mtu: 1500, sandbox: body.netns },
      { name: "veth1", mac: mac(await host.ip("link show veth1")), mtu: 1500 },
    ];
    return {
      result: { cniVersion: "1.1.0", interfaces, ips: ADDRESSES.map((address) => ({ address, interface: 0 })), routes: [] },
    };
  });
}

async function scene() {
  const stack = new AsyncDisposableStack();
  const host = stack.use(await createTestNamespace());
  const pod = stack.use(await createTestNamespace());
  const coild = stack.use(await standIn(host, pod));
  const plugin = { type: basename(BINARY), socket: coild.socket };
  const call = (command: RuntimeRequest["command"], confList: object, change: Partial<RuntimeRequest> = {}) => {
    const request = {
      command,
      confList,
      binDirs: BIN_DIRS,
      cacheDir: `${coild.folder}/cache`,
      containerId: "c1",
      ifname: "eth0",
      args: ARGS,
    };
    return callRuntime({ ...request, netns: pod.path, ...change }, { host: host.path });
  };
  return { host, pod, coild, plugin, call, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const paths = (coild: StandIn) => coild.calls.map(({ path }) => path.slice("/v1/".length)).join(" ");

test("libcni adds, checks and deletes in every version that it shares with us", async () => {
  for (const cniVersion of ["0.3.1", "0.4.0", "1.0.0", "1.1.0"]) {
    await using here = await scene();
    const list = { cniVersion, name: "net", plugins: [here.plugin] };
    assert.deepEqual((await here.call("VALIDATE", list)).error, undefined);
    const added = await here.call("ADD", list);
    const result = added.result as CniResult & { ips: { version?: string }[] };
    assert.deepEqual([added.error, result.cniVersion, result.ips[0]?.address], [undefined, cniVersion, "10.64.0.1/32"]);
    assert.equal(result.interfaces?.[0]?.mtu, cniVersion === "1.1.0" ? 1500 : undefined);
    if (cniVersion !== "0.3.1") assert.deepEqual(await here.call("CHECK", list), { result: null });
    for (let i = 0; i < 2; i++) assert.deepEqual(await here.call("DEL", list), { result: null });
    assert.deepEqual(await here.call("DEL", list, { netns: "" }), { result: null });
    assert.equal(paths(here.coild), cniVersion === "0.3.1" ? "add del del del" : "add check del del del");
    const [add] = here.coild.calls;
    assert.deepEqual(
      [add?.body.args?.["K8S_POD_UID"], add?.body.config["name"], add?.body.path],
      ["u-1", "net", BIN_DIRS.join(":")],
    );
  }
});

test("libcni asks for the versions and the status, and hands over the attachments that must stay", async () => {
  await using here = await scene();
  const list = { cniVersion: "1.1.0", name: "net", plugins: [here.plugin] };
  assert.deepEqual(await here.call("VERSION", list), { result: ["0.3.1", "0.4.0", "1.0.0", "1.1.0"] });
  assert.deepEqual(await here.call("STATUS", list), { result: null });
  assert.equal((await here.call("ADD", list)).error, undefined);
  const validAttachments = [{ containerID: "c1", ifname: "eth0" }];
  assert.deepEqual(await here.call("GC", list, { validAttachments }), { result: null });
  assert.deepEqual(here.coild.calls.at(-1)?.body.config["cni.dev/valid-attachments"], validAttachments);
  // What is not valid any more is deleted by libcni itself first.
  assert.deepEqual(await here.call("GC", list, { validAttachments: [] }), { result: null });
  assert.equal(paths(here.coild), "status add gc del gc");
});

test("libcni gets the codes of errors, and DEL succeeds when coild is gone", async () => {
  await using here = await scene();
  const list = { cniVersion: "1.1.0", name: "net", plugins: [{ ...here.plugin, socket: `${here.coild.folder}/gone.sock` }] };
  const add = await here.call("ADD", list);
  assert.deepEqual(
    [add.error?.code, add.error?.msg],
    [11, `Cannot reach coild at ${here.coild.folder}/gone.sock: there is no such socket`],
  );
  assert.equal((await here.call("STATUS", list)).error?.code, 50);
  assert.equal((await here.call("GC", list, { validAttachments: [] })).error?.code, 11);
  assert.deepEqual(await here.call("DEL", list), { result: null });
  assert.deepEqual(readdirSync(`${here.coild.folder}/gone.pending`), ["c1:eth0.json"]);
});

test("the plugin is the first of a chain with tuning, bandwidth and portmap", async () => {
  await using here = await scene();
  const plugins = [
    here.plugin,
    { type: "tuning", capabilities: { mac: true }, sysctl: { "net.core.somaxconn": "500" }, mtu: 1400 },
    { type: "bandwidth", capabilities: { bandwidth: true } },
    { type: "portmap", capabilities: { portMappings: true }, snat: true },
  ];
  const list = { cniVersion: "1.0.0", name: "net", plugins };
  const capabilityArgs = {
    mac: "02:11:22:33:44:55",
    bandwidth: { ingressRate: 8_000_000, ingressBurst: 8_000_000 },
    portMappings: [{ hostPort: 8080, containerPort: 80, protocol: "tcp" }],
  };
  const added = await here.call("ADD", list, { capabilityArgs });
  assert.equal(added.error, undefined, JSON.stringify(added));
  const [eth0] = (added.result as CniResult).interfaces ?? [];
  assert.deepEqual([eth0?.name, eth0?.mac], ["eth0", "02:11:22:33:44:55"]);
  assert.match(await here.pod.ip("link show eth0"), /mtu 1400 .*02:11:22:33:44:55/s);
  assert.match(await here.host.exec("tc", "qdisc", "show", "dev", "veth1"), /tbf .*rate 8Mbit/);
  assert.match(await here.host.exec("iptables-save", "-t", "nat"), /--dport 8080 -j DNAT --to-destination 10\.64\.0\.1:80/);
  // Without portmap: the CHECK of Debian 12's looks for the IPv4 rules in ip6tables.
  const checked = { ...list, plugins: plugins.slice(0, -1) };
  assert.deepEqual(await here.call("CHECK", checked, { capabilityArgs }), { result: null });
  // CHECK and DEL get the result of the whole chain.
  const previous = here.coild.calls.at(-1)?.body.config["prevResult"] as CniResult;
  assert.equal(previous.interfaces?.[0]?.mac, "02:11:22:33:44:55");
  for (let i = 0; i < 2; i++) assert.deepEqual(await here.call("DEL", list, { capabilityArgs }), { result: null });
  assert.equal(paths(here.coild), "add check del del");
  assert.doesNotMatch(await here.host.exec("iptables-save", "-t", "nat"), /8080/);
});
