import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress, parseAddress } from "../ip/address.ts";
import { formatPrefix } from "../ip/prefix.ts";
import { calicoInterfaceName } from "./names.ts";
import { linkLocalOf, type PlannedEnd, type PodAttachment, type PodNetConfig, planPod } from "./plan.ts";

const attachment: PodAttachment = {
  key: "c1:eth0",
  containerId: "c1",
  ifname: "eth0",
  pool: "default",
  ipv4: parseAddress("10.2.0.5"),
  ipv6: parseAddress("fd02::5"),
  network: "k8s-pod-network",
  podUid: "uid-1",
  podNamespace: "ns",
  podName: "web-0",
};
const config: PodNetConfig = {
  podTable: 116,
  protocol: 30,
  mtu: 1450,
  nodeIPv4: parseAddress("192.0.2.10"),
  nodeIPv6: parseAddress("2001:db8::10"),
  compatCalico: false,
};

/** One end as `ip` would print it. */
function asText({ name, mac, addresses, neighbours, routes }: PlannedEnd) {
  return [
    `${name} ${mac}`,
    ...addresses.map((a) => `address ${formatAddress(a.address)}/${a.length} ${a.scope}`),
    ...neighbours.map((n) => `neighbour ${formatAddress(n.address)} ${n.mac}`),
    ...routes.map((r) =>
      [
        `route ${r.destination ? formatPrefix(r.destination) : "default"}`,
        ...(r.gateway ? [`via ${formatAddress(r.gateway)}`] : []),
        `table ${r.table} proto ${r.protocol} scope ${r.scope}`,
        ...(r.source ? [`src ${formatAddress(r.source)}`] : []),
      ].join(" "),
    ),
  ];
}

test("`planPod()` of a dual-stack pod", () => {
  const plan = planPod(attachment, config);
  assert.deepStrictEqual(asText(plan.host), [
    "veth979b3526 5a:87:38:e7:17:ec",
    "address fe80::1/128 link",
    "neighbour 10.2.0.5 fa:2e:fa:b4:c7:1b",
    "neighbour fd02::5 fa:2e:fa:b4:c7:1b",
    "route 10.2.0.5/32 table 116 proto 30 scope link src 192.0.2.10",
    "route fd02::5/128 table 116 proto 30 scope universe src 2001:db8::10",
  ]);
  assert.deepStrictEqual(asText(plan.pod), [
    "eth0 fa:2e:fa:b4:c7:1b",
    "address 10.2.0.5/32 global",
    "address fd02::5/128 global",
    "address fe80::f82e:faff:feb4:c71b/64 link",
    "neighbour 169.254.1.1 5a:87:38:e7:17:ec",
    "neighbour fe80::1 5a:87:38:e7:17:ec",
    "route 169.254.1.1/32 table 254 proto 3 scope link",
    "route default via 169.254.1.1 table 254 proto 3 scope universe",
    "route default via fe80::1 table 254 proto 3 scope universe",
  ]);
  assert.deepStrictEqual(
    { mtu: plan.mtu, alias: plan.host.alias, altNames: plan.host.altNames },
    {
      mtu: 1450,
      alias: "COIL:default:c1:eth0",
      altNames: ["coil.veth979b3526.uid-1.k8s-pod-network", "coil.ip.10.2.0.5", "coil.ip.fd02::5"],
    },
  );
});

test("`planPod()` of a single-stack pod has nothing of the other family", () => {
  const { ipv4, ipv6, ...rest } = attachment;
  const only4 = planPod({ ...rest, ...(ipv4 ? { ipv4 } : {}) }, config);
  const only6 = planPod({ ...rest, ...(ipv6 ? { ipv6 } : {}) }, config);
  assert.doesNotMatch([...asText(only4.host), ...asText(only4.pod)].slice(1).join(" "), / fe80:| fd02:/);
  assert.doesNotMatch([...asText(only6.host), ...asText(only6.pod)].slice(1).join(" "), /10\.2\.|169\.254/);
});

test("`planPod()` leaves the source open on a node without an address of the family", () => {
  const { nodeIPv6, ...only4 } = config;
  assert.equal(nodeIPv6?.family, "ipv6");
  assert.deepStrictEqual(
    planPod(attachment, only4).host.routes.map((route) => route.source && formatAddress(route.source)),
    ["192.0.2.10", undefined],
  );
});

test("`planPod()` takes Calico's interface name when asked, and another when that is taken", () => {
  const calico = { ...config, compatCalico: true };
  assert.equal(planPod(attachment, calico).host.name, calicoInterfaceName("ns", "web-0"));
  assert.equal(planPod(attachment, calico, { attempt: 1 }).host.name, planPod(attachment, config, { attempt: 1 }).host.name);
});

test("`planPod()` refuses attachments that cannot be written down", () => {
  const { ipv4, ipv6, ...bare } = attachment;
  const cases: PodAttachment[] = [
    bare,
    { ...attachment, key: "other:eth0" },
    { ...bare, ...(ipv6 ? { ipv4: ipv6 } : {}), ...(ipv4 ? { ipv6: ipv4 } : {}) },
    { ...attachment, network: "n".repeat(120) },
    { ...attachment, pool: "a:b" },
  ];
  for (const bad of cases) assert.throws(() => planPod(bad, config), RangeError);
});

test("`linkLocalOf()` is the address the kernel derives from a MAC address", () => {
  assert.equal(formatAddress(linkLocalOf("de:82:09:d0:5c:e2")), "fe80::dc82:9ff:fed0:5ce2");
});
