import assert from "node:assert/strict";
import { test } from "node:test";
import { attachmentOf, createPodHost } from "../../../test/support/pod-host.ts";

const { signal } = new AbortController();

test("`initialise()` switches forwarding on and adds one rule a family, whatever the number of starts", async () => {
  await using lab = await createPodHost();
  const { host } = lab;
  for (let start = 1; start <= 3; start++) {
    const counted: string[] = [];
    await lab.network({ metrics: { driftRepaired: (kind) => counted.push(kind), phase: () => undefined } }).initialise(signal);
    assert.equal(await host.ip("rule show priority 2000"), "2000:\tfrom all lookup 116");
    assert.equal(await host.ip("-6 rule show priority 2000"), "2000:\tfrom all lookup 116");
    const forwarding = ["/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding"];
    assert.equal(await host.exec("cat", ...forwarding), "1\n1");
    assert.deepStrictEqual(counted, [], "a first setting is no drift");
  }
});

test("a rule of the Go implementation is taken for ours; rules that differ in anything are others', stay, and are reported", async () => {
  await using lab = await createPodHost();
  const { host } = lab;
  await host.ip("rule add priority 2000 table 116");
  const foreign = ["from 198.51.100.0/24 lookup 116", "from all fwmark 0x1 lookup 116", "from all lookup 117"];
  for (const rule of foreign) await host.ip(`-6 rule add priority 2000 ${rule.replace("198.51.100.0/24", "2001:db8:1::/48")}`);
  const network = lab.network();
  await network.initialise(signal);
  assert.equal(await host.ip("rule show priority 2000"), "2000:\tfrom all lookup 116");
  const rules = (await host.ip("-6 rule show priority 2000")).split("\n").sort();
  assert.deepStrictEqual(rules, [
    "2000:\tfrom 2001:db8:1::/48 lookup 116",
    "2000:\tfrom all fwmark 0x1 lookup 116",
    "2000:\tfrom all lookup 116",
    "2000:\tfrom all lookup 117",
  ]);
  assert.match(
    network.problems().join("\n"),
    /^ipv6 rule priority 2000 is also used by another program: .*; choose another priority/,
  );
});

test("links of pods refuse router advertisements also on a node that takes them by default", async () => {
  await using lab = await createPodHost();
  await lab.host.exec("sh", "-c", "echo 2 >/proc/sys/net/ipv6/conf/default/accept_ra");
  const network = lab.network();
  await network.initialise(signal);
  const pod = await lab.podNamespace();
  const { hostInterface } = await network.setUp(attachmentOf(1), { netns: pod.path, signal });
  assert.equal(await lab.host.exec("cat", `/proc/sys/net/ipv6/conf/${hostInterface}/accept_ra`), "0");
});

test("an MTU that is configured is not found out; without any uplink the kernel's default is taken", async () => {
  await using lab = await createPodHost();
  const pod = await lab.podNamespace();
  const network = lab.network({}, { mtu: 1400 });
  await network.initialise(signal);
  const attachment = attachmentOf(1, "ipv4");
  assert.equal((await network.setUp(attachment, { netns: pod.path, signal })).mtu, 1400);
  await network.tearDown("c1:eth0", { signal });
  await lab.host.ip("link delete eth0");
  const lonely = lab.network();
  await lonely.initialise(signal);
  assert.equal((await lonely.setUp(attachment, { netns: pod.path, signal })).mtu, 1500);
  assert.match(await pod.ip("link show eth0"), /mtu 1500/);
});
