import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { createFaultyKernel } from "../../../test/support/faulty-kernel.ts";
import { attachmentOf, createPodHost } from "../../../test/support/pod-host.ts";
import { createRandom } from "../../../test/support/random.ts";
import { parseAddress } from "../../ip/address.ts";
import { createLogger } from "../../observe/logger.ts";

const { signal } = new AbortController();

/** What is done to the host, as an operator would type it; `$veth` is the host link of pod 1. */
const DAMAGES: readonly string[] = [
  "ip route delete 10.2.0.1 table 116",
  "ip -6 route delete fd02::1 table 116",
  "ip route flush table 116 proto 30",
  "ip -6 route flush table 116 proto 30",
  "ip route replace 10.2.0.1 dev eth0 table 116",
  "ip route replace 10.2.0.1 dev $veth table 116 proto 30 scope link",
  "ip -6 route replace fd02::1 dev eth0 table 116",
  "ip rule delete priority 2000 table 116",
  "ip -6 rule delete priority 2000",
  "ip neighbour delete 10.2.0.1 dev $veth",
  "ip neighbour replace 10.2.0.1 lladdr 02:00:00:00:00:01 dev $veth",
  "ip neighbour flush nud permanent dev $veth",
  "ip address delete fe80::1/128 dev $veth",
  "ip -6 address flush dev $veth",
  "ip link set $veth down",
  "ip link set $veth alias mine",
  "ip link set $veth group default",
  "ip link property del dev $veth altname coil.ip.10.2.0.1",
  "echo 0 >/proc/sys/net/ipv4/ip_forward",
  "echo 0 >/proc/sys/net/ipv6/conf/all/forwarding",
  "ip address delete 192.0.2.10/24 dev eth0; ip address add 192.0.2.10/24 dev eth0",
];

/** State of others: it must be the same after everything. */
const FOREIGN: readonly string[] = [
  "ip address add 198.18.0.1/24 dev eth0",
  "ip route add 10.9.0.0/24 dev eth0 table 116 proto static",
  "ip route add 203.0.113.0/24 dev eth0 proto 30",
  "ip rule add priority 2000 from 198.51.100.0/24 lookup 99",
  "ip neighbour add 192.0.2.200 lladdr 02:00:00:00:00:02 dev eth0 nud permanent",
];

test("whatever others remove or alter of ours is back within a second, counted, told once; what is theirs stays", async (t) => {
  await using lab = await createPodHost();
  const { host } = lab;
  const random = createRandom();
  t.diagnostic(`seed ${random.seed}`);
  const repaired: string[] = [];
  const lines: string[] = [];
  const network = lab.network({
    log: createLogger({ name: "test", destination: { write: (line) => lines.push(line) } }),
    metrics: { driftRepaired: (kind) => repaired.push(kind), phase: () => undefined },
  });
  for (const command of FOREIGN) await host.exec("sh", "-c", command);
  await network.initialise(signal);
  const pods = [await lab.podNamespace(), await lab.podNamespace()];
  const made = await Promise.all(pods.map((pod, i) => network.setUp(attachmentOf(i + 1), { netns: pod.path, signal })));
  const veth = made[0]?.hostInterface ?? "";
  lab.start(network);
  const state = async () => {
    const commands = [
      "ip route show table 116",
      "ip -6 route show table 116",
      "ip rule",
      "ip -6 rule",
      "ip neighbour show nud permanent",
      `ip -oneline link show dev ${veth}`,
      `ip -oneline -6 address show dev ${veth}`,
      "ip route show proto 30",
      "cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding",
    ];
    const texts = await host.exec("sh", "-c", commands.join("; echo; "));
    // Rules of one priority, neighbours and alternative names stand in the order of their making.
    return texts
      .split(/[\n\\]/)
      .sort()
      .join("\n");
  };
  const whole = await state();
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepStrictEqual(repaired, [], "nothing to do at rest");

  for (const damage of random.shuffle([...DAMAGES, ...DAMAGES])) {
    repaired.length = 0;
    await host.exec("sh", "-c", damage.replaceAll("$veth", veth));
    const started = performance.now();
    let now = await state();
    while (now !== whole && performance.now() - started < 1000) now = await state();
    assert.equal(now, whole, `after: ${damage}`);
    t.diagnostic(`${Math.round(performance.now() - started)} ms ${repaired.join(" ")} <- ${damage}`);
  }
  const told = lines.filter((line) => line.includes("put back"));
  const whats = told.map((line) => (JSON.parse(line) as { what: string }).what);
  assert.equal(new Set(whats).size, whats.length, "each told once");
  assert.ok(whats.includes("route 10.2.0.1/32") && whats.includes("net.ipv4.ip_forward"), whats.join());
  assert.match(
    network.problems().join(),
    /ipv4 rule priority 2000 is also used by another program: "from 198\.51\.100\.0\/24 lookup 99"/,
  );
});

test("a link that vanishes without a tear-down is told, and its key is free", async () => {
  await using lab = await createPodHost();
  const network = lab.network();
  await network.initialise(signal);
  const gone: string[] = [];
  network.onGone((key) => gone.push(key));
  lab.start(network);
  const [one, two] = [await lab.podNamespace(), await lab.podNamespace()];
  const { hostInterface } = await network.setUp(attachmentOf(1), { netns: one.path, signal });
  await network.setUp(attachmentOf(2), { netns: two.path, signal });
  await network.tearDown("c2:eth0", { signal });
  await lab.host.ip(`link delete ${hostInterface}`);
  await eventually("the link to be reported gone", 5000, async () => gone.length > 0);
  assert.deepStrictEqual([gone, network.observed()], [["c1:eth0"], []]);
  assert.equal(await network.tearDown("c1:eth0", { signal }), "absent");
  await network.setUp(attachmentOf(1), { netns: one.path, signal });
});

test("a link that vanishes while everything is being read does not come back from what was read before", async () => {
  await using lab = await createPodHost();
  const faulty = createFaultyKernel();
  const network = lab.network({ kernel: faulty.kernel });
  await network.initialise(signal);
  const gone: string[] = [];
  network.onGone((key) => gone.push(key));
  const pod = await lab.podNamespace();
  const { hostInterface } = await network.setUp(attachmentOf(1), { netns: pod.path, signal });
  let routes = 0;
  faulty.plan((call) => async () => {
    // The links have been read by then. The monitor tells of the end before the last dump.
    if (faulty.calls[call] !== "routes" || routes++ > 0) return;
    await lab.host.ip(`link delete ${hostInterface}`);
    await eventually("the link to be reported gone", 5000, async () => gone.length > 0);
  });
  lab.start(network);
  await eventually("the comparison to end", 5000, async () => faulty.calls.includes("neighbours"));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepStrictEqual([gone, network.observed()], [["c1:eth0"], []]);
});

test("the MTU of new pods follows the uplink, and a node address that comes later becomes the source", async () => {
  await using lab = await createPodHost();
  const network = lab.network({}, { nodeAddresses: { ipv4: parseAddress("192.0.2.12") } });
  await network.initialise(signal);
  lab.start(network);
  const [one, two] = [await lab.podNamespace(), await lab.podNamespace()];
  assert.equal((await network.setUp(attachmentOf(1), { netns: one.path, signal })).mtu, 1450);
  assert.doesNotMatch(await lab.host.ip("route show table 116"), /src/);
  await lab.host.ip("link set eth0 mtu 1400");
  await lab.host.ip("address add 192.0.2.12/24 dev eth0");
  await eventually("the source", 1000, async () => /src 192\.0\.2\.12/.test(await lab.host.ip("route show table 116")));
  assert.equal((await network.setUp(attachmentOf(2), { netns: two.path, signal })).mtu, 1400);
  assert.deepStrictEqual(network.problems(), []);
});
