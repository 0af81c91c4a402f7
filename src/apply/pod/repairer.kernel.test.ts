import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readlinkSync } from "node:fs";
import { test } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { attachmentOf, createPodHost, type PodHost } from "../../../test/support/pod-host.ts";
import { formatAddress } from "../../ip/address.ts";
import type { ObservedPod } from "../../podnet/observed-pods.ts";
import { addressesOf } from "../../podnet/plan.ts";

const { signal } = new AbortController();

function summary(pods: readonly ObservedPod[]) {
  return pods
    .map((pod) =>
      [pod.key, pod.pool, ...addressesOf(pod).map(formatAddress), pod.network ?? "-", pod.podUid ?? "-", pod.origin].join(" "),
    )
    .sort();
}

/** A pod as coild of Coil v2 sets it up: node addresses on the veth, gateways that are the node's addresses. */
async function setUpAsGo(
  lab: PodHost,
  pod: { path: string; ip(args: string): Promise<string> },
  veth: string,
  last: number,
): Promise<void> {
  const { host } = lab;
  await host.ip(`link add ${veth} type veth peer name eth0 netns ${pod.path}`);
  await host.ip(`link set ${veth} up alias COIL:default:go${last}:eth0`);
  await pod.ip("link set eth0 up");
  await pod.ip(`address add 10.2.0.${last}/32 dev eth0`);
  await pod.ip(`address add fd02::${last}/128 dev eth0 nodad`);
  await host.ip(`address add 192.0.2.10/32 dev ${veth}`);
  await host.ip(`address add 2001:db8::10/128 dev ${veth} nodad`);
  await host.ip(`address add fe80::${last}/64 dev ${veth} nodad`);
  await host.ip(`route add 10.2.0.${last} dev ${veth} scope link proto 30 table 116`);
  await host.ip(`-6 route add fd02::${last} dev ${veth} proto 30 table 116`);
  await pod.ip("route add 192.0.2.10 dev eth0 scope link");
  await pod.ip("route add default via 192.0.2.10");
  await pod.ip(`-6 route add default via fe80::${last} dev eth0`);
}

test("after a restart the kernel tells all pods, and `initialise()` restores what they have lost meanwhile", async () => {
  await using lab = await createPodHost();
  const counted: string[] = [];
  const { host } = lab;
  const [one, two] = [await lab.podNamespace(), await lab.podNamespace()];
  const before = lab.network();
  await before.initialise(signal);
  const { hostInterface } = await before.setUp(attachmentOf(1), { netns: one.path, signal });
  await before.setUp(attachmentOf(2, "ipv6"), { netns: two.path, signal });
  const pods = before.observed();

  await host.ip("route flush table 116");
  await host.ip("-6 route flush table 116");
  await host.ip(`link set ${hostInterface} down`);
  await host.ip("rule delete priority 2000");
  const after = lab.network({ metrics: { driftRepaired: (kind) => counted.push(kind), phase: () => undefined } });
  await after.initialise(signal);
  assert.deepStrictEqual(after.observed(), pods);
  assert.deepStrictEqual(summary(after.observed()), [
    "c1:eth0 default 10.2.0.1 fd02::1 k8s-pod-network uid-1 ours",
    "c2:eth0 default fd02::2 k8s-pod-network uid-2 ours",
  ]);
  assert.deepStrictEqual(counted.sort(), ["address", "link", "neighbour", "neighbour", "route", "route", "route"]);
  assert.deepStrictEqual(await after.check(attachmentOf(1), { netns: one.path, signal }), []);
  await one.exec("ping", "-c1", "-W1", "fd02::2");
  assert.equal(await after.tearDown("c1:eth0", { signal }), "removed");
  assert.equal(await after.tearDown("c2:eth0", { signal }), "removed");
});

test("`initialise()` removes links of set-ups that a crash cut short, and of tear-downs", async () => {
  await using lab = await createPodHost();
  const { host } = lab;
  await host.ip("link add vethhalf group 1668245868 type veth peer name halfpeer");
  await host.ip("link add vethdoom group 1668245860 type veth peer name doompeer");
  await host.ip("link add vethother type veth peer name otherpeer");
  await host.ip("link set vethother alias uplink");
  const network = lab.network();
  await network.initialise(signal);
  const names = (await host.ip("-oneline link")).split("\n").map((line) => line.split(/[:@ ]+/)[1]);
  assert.deepStrictEqual(names.sort(), ["eth0", "lo", "otherpeer", "vethother"]);
  assert.deepStrictEqual(network.observed(), []);
});

test("pods of the Go implementation are taken in and go on working; lost routes come back, their addresses are left alone", async () => {
  await using lab = await createPodHost();
  const { host } = lab;
  const [old, fresh] = [await lab.podNamespace(), await lab.podNamespace()];
  await setUpAsGo(lab, old, "veth1f2e3d4c", 7);
  const addresses = await host.ip("address show dev veth1f2e3d4c");
  const routes = await host.ip("route show table 116");
  const network = lab.network();
  await network.initialise(signal);
  assert.deepStrictEqual(summary(network.observed()), ["go7:eth0 default 10.2.0.7 fd02::7 - - go"]);
  assert.equal(await host.ip("route show table 116"), routes);

  await network.setUp(attachmentOf(1), { netns: fresh.path, signal });
  for (const target of ["10.2.0.7", "fd02::7"]) await fresh.exec("ping", "-c1", "-W1", target);
  for (const target of ["10.2.0.1", "fd02::1", "192.0.2.10"]) await old.exec("ping", "-c1", "-W1", target);

  lab.start(network);
  await host.ip("route delete 10.2.0.7 table 116");
  await eventually("the route to come back", 1000, async () => (await host.ip("route show table 116")).includes("10.2.0.7 "));
  assert.equal(
    (await host.ip("route show table 116")).split("\n").find((line) => line.startsWith("10.2.0.7 ")),
    routes,
  );
  assert.equal(await host.ip("address show dev veth1f2e3d4c"), addresses);
  const asGo = { ...attachmentOf(7), key: "go7:eth0", containerId: "go7" };
  assert.deepStrictEqual(await network.check(asGo, { netns: old.path, signal }), []);
  assert.equal(await network.tearDown("go7:eth0", { signal }), "removed");
  assert.equal(await old.ip("link show type veth"), "");
});

test("a pod of the Go implementation whose routes are lost is asked for its addresses in its own namespace", async () => {
  await using lab = await createPodHost();
  const { host } = lab;
  const old = await lab.podNamespace();
  await setUpAsGo(lab, old, "veth1f2e3d4c", 7);
  const v6 = await host.ip("-6 route show table 116");
  await host.ip("route flush table 116");
  // As a container's first process would, it holds the namespace where it can be found.
  const inside = spawn("nsenter", [`--net=${old.path}`, "sleep", "60"], { stdio: "ignore" });
  try {
    await once(inside, "spawn");
    await eventually("the process in the namespace", 2000, async () =>
      readlinkSync(`/proc/${inside.pid}/ns/net`).includes(String(old.ns.inode)),
    );
    const network = lab.network();
    await network.initialise(signal);
    assert.deepStrictEqual(summary(network.observed()), ["go7:eth0 default 10.2.0.7 fd02::7 - - go"]);
    assert.match(await host.ip("route show table 116"), /^10\.2\.0\.7 dev veth1f2e3d4c proto 30 scope link$/);
    assert.equal(await host.ip("-6 route show table 116"), v6);
    await old.exec("ping", "-c1", "-W1", "192.0.2.10");
  } finally {
    inside.kill("SIGKILL");
  }
});
