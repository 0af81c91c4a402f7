import assert from "node:assert/strict";
import { test } from "node:test";
import { attachmentOf, createPodHost } from "../../../test/support/pod-host.ts";

const { signal } = new AbortController();

/** What is done in the pod (`pod:`) or on the host, and what CHECK then says; `$veth` is the host's end. */
const DAMAGES: readonly (readonly [string, readonly RegExp[]])[] = [
  ["pod: ip address delete 10.2.0.1/32 dev eth0", [/eth0 of the pod has lost its address 10\.2\.0\.1/]],
  ["pod: ip -6 address delete fd02::1/128 dev eth0", [/eth0 of the pod has lost its address fd02::1/]],
  ["pod: ip route delete default", [/the pod has lost its route 0\.0\.0\.0\/0 via 169\.254\.1\.1/]],
  ["pod: ip route replace default dev eth0", [/the pod has lost its route 0\.0\.0\.0\/0 via 169\.254\.1\.1/]],
  ["pod: ip -6 route delete default", [/the pod has lost its route ::\/0 via fe80::1/]],
  [
    "pod: ip neighbour delete 169.254.1.1 dev eth0",
    [/eth0 of the pod does not know the gateway 169\.254\.1\.1 at 5a:87:38:e7:17:ec/],
  ],
  ["pod: ip link set eth0 address 02:00:00:00:00:09", [/eth0 of the pod has MAC 02:00:00:00:00:09, the host sends to another/]],
  ["pod: ip link set eth0 mtu 1500", [/eth0 of the pod has MTU 1500, \$veth only 1450: large packets are lost/]],
  ["pod: ip link set eth0 down", [/eth0 of the pod is down/]],
  ["pod: ip link set eth0 down; ip link set eth0 name eth9", [/the pod has no interface eth0/]],
  ["ip route delete 10.2.0.1 table 116", [/on the host, \$veth has lost: route 10\.2\.0\.1\/32/]],
  ["ip -6 route delete fd02::1 table 116", [/on the host, \$veth has lost: route fd02::1\/128/]],
  ["ip neighbour delete fd02::1 dev $veth", [/on the host, \$veth has lost: neighbour fd02::1/]],
  ["ip address delete fe80::1/128 dev $veth", [/on the host, \$veth has lost: address fe80::1\/128/]],
  ["ip link delete $veth", [/the host's end of the interface is gone/, /the pod has no interface eth0/]],
];

test("`check()` names what is wrong, on the side where it is", async () => {
  await using lab = await createPodHost();
  const network = lab.network();
  await network.initialise(signal);
  for (const [damage, expected] of DAMAGES) {
    const pod = await lab.podNamespace();
    const options = { netns: pod.path, signal };
    const { hostInterface: veth } = await network.setUp(attachmentOf(1), options);
    assert.deepStrictEqual(await network.check(attachmentOf(1), options), []);
    const command = damage.replace("pod: ", "").replaceAll("$veth", veth);
    await (damage.startsWith("pod: ") ? pod : lab.host).exec("sh", "-c", command);
    const problems = await network.check(attachmentOf(1), options);
    for (const pattern of expected) {
      assert.match(problems.join("\n").replaceAll(veth, "$veth"), pattern, `after: ${damage}`);
    }
    await network.tearDown("c1:eth0", { signal });
  }
});

test("`check()` compares with the addresses that the caller believes in, and with the namespace it names", async () => {
  await using lab = await createPodHost();
  const network = lab.network();
  await network.initialise(signal);
  const [one, two] = [await lab.podNamespace(), await lab.podNamespace()];
  assert.deepStrictEqual(await network.check(attachmentOf(1), { netns: one.path, signal }), [
    "the host has no interface of this attachment",
  ]);
  await network.setUp(attachmentOf(1), { netns: one.path, signal });
  await network.setUp(attachmentOf(2), { netns: two.path, signal });
  const { ipv4, ...rest } = attachmentOf(2);
  const mistaken = { ...attachmentOf(1), ...(ipv4 && { ipv4 }) };
  assert.equal(rest.key, "c2:eth0");
  assert.match((await network.check(mistaken, { netns: one.path, signal })).join("\n"), /lost its address 10\.2\.0\.2/);
  assert.match((await network.check(attachmentOf(1), { netns: two.path, signal })).join("\n"), /lost its address 10\.2\.0\.1/);
});
