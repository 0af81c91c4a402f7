import type { ClusterPlan, FabricPort } from "../cluster/plan.ts";
import { FABRIC } from "../cluster/plan.ts";

/** What to do in one namespace: sysctls first, then lines for `ip -batch`. */
export interface NamespaceSetup {
  readonly namespace: string;
  /** Paths under /proc/sys, for example `net/ipv4/ip_forward`. Those that the kernel lacks are left out. */
  readonly sysctls: readonly (readonly [path: string, value: string])[];
  readonly ip: readonly string[];
}

const BRIDGE = "br0";

/** No waiting for duplicate addresses: the lab gives each address once. */
const NO_DAD: NamespaceSetup["sysctls"] = [
  ["net/ipv6/conf/all/accept_dad", "0"],
  ["net/ipv6/conf/default/accept_dad", "0"],
  ["net/ipv6/conf/default/accept_ra", "0"],
];
const ROUTER: NamespaceSetup["sysctls"] = [
  ["net/ipv4/ip_forward", "1"],
  ["net/ipv6/conf/all/forwarding", "1"],
];

/**
 * The fabric: a bridge that all nodes share, as one flat network, and a router between it and the outside. It holds both ends' makers,
 * so that no link is ever in the machine's own namespace.
 */
export function fabricSetup(plan: ClusterPlan): NamespaceSetup {
  return {
    namespace: FABRIC,
    sysctls: [...NO_DAD, ...ROUTER, ["net/bridge/bridge-nf-call-iptables", "0"], ["net/bridge/bridge-nf-call-ip6tables", "0"]],
    ip: [
      "link set lo up",
      `link add ${BRIDGE} type bridge forward_delay 0 mcast_snooping 0`,
      `link set ${BRIDGE} up`,
      ...plan.bridgeAddresses.map((address) => `addr add ${address} dev ${BRIDGE}`),
      ...plan.nodePorts.flatMap(portCommands),
      ...outsidePortCommands(plan),
    ],
  };
}

/** The fabric's side of a node's link. */
export function portCommands({ link, namespace, mac }: FabricPort): string[] {
  return [`link add ${link} type veth peer name eth0 address ${mac} netns ${namespace}`, `link set ${link} master ${BRIDGE} up`];
}

/** The fabric's side of the link to the outside. */
export function outsidePortCommands({ outsidePort, outsideGateways }: ClusterPlan): string[] {
  return [
    `link add ${outsidePort.link} type veth peer name eth0 address ${outsidePort.mac} netns ${outsidePort.namespace}`,
    `link set ${outsidePort.link} up`,
    ...outsideGateways.map((address) => `addr add ${address} dev ${outsidePort.link}`),
  ];
}

/** The other side of a port, a node or the outside. The link must be there. */
export function portSetup(
  { namespace, addresses, gateways }: FabricPort,
  { forwarding }: { forwarding: boolean },
): NamespaceSetup {
  return {
    namespace,
    sysctls: [...NO_DAD, ["net/ipv6/conf/eth0/accept_dad", "0"], ...(forwarding ? ROUTER : [])],
    ip: [
      "link set lo up",
      "link set eth0 up",
      ...addresses.map((address) => `addr replace ${address} dev eth0`),
      ...gateways.map((gateway) => `route replace default via ${gateway} dev eth0`),
    ],
  };
}
