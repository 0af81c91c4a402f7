import type { Address } from "../ip/address.ts";
import { type Family, familyBits } from "../ip/family.ts";
import { hostPrefix, type Prefix } from "../ip/prefix.ts";
import {
  attachmentKey,
  calicoInterfaceName,
  formatAltNames,
  formatLinkAlias,
  hostInterfaceName,
  type InterfaceMacs,
  interfaceMacs,
  LINK_GROUP,
} from "./names.ts";

/** One interface of one pod with the addresses it was given, as the kernel's own marks on the host side tell it. */
export interface PodIdentity {
  /** `<container id>:<ifname>`. */
  readonly key: string;
  readonly containerId: string;
  /** The interface in the pod, `eth0` as a rule. */
  readonly ifname: string;
  readonly pool: string;
  readonly ipv4?: Address;
  readonly ipv6?: Address;
  /** `name` of the CNI network configuration. */
  readonly network: string;
  /** Empty where the runtime is not a kubelet's. */
  readonly podUid: string;
}

/** What is known of an attachment when it is made. */
export interface PodAttachment extends PodIdentity {
  readonly podNamespace: string;
  readonly podName: string;
}

/** What all pods of a node have in common. */
export interface PodNetConfig {
  /** Routing table of the pods' routes. */
  readonly podTable: number;
  /** Protocol number of our routes. */
  readonly protocol: number;
  /** Bytes; 0 leaves it to the kernel. */
  readonly mtu: number;
  /** Source of traffic from the node to its pods. A node without an address of a family leaves the choice to the kernel. */
  readonly nodeIPv4?: Address;
  readonly nodeIPv6?: Address;
  /** Interface names as Calico's policy engine expects them. */
  readonly compatCalico: boolean;
}

/** The part of it that routes on the host are made of. */
export type HostRouteConfig = Pick<PodNetConfig, "podTable" | "protocol" | "nodeIPv4" | "nodeIPv6">;

export interface PlannedAddress {
  readonly address: Address;
  readonly length: number;
  readonly scope: "global" | "link";
}

/** Without a destination it is the default route. */
export interface PlannedRoute {
  readonly family: Family;
  readonly destination?: Prefix;
  readonly table: number;
  readonly protocol: number;
  readonly scope: "universe" | "link";
  readonly gateway?: Address;
  readonly source?: Address;
}

/** A permanent entry. */
export interface PlannedNeighbour {
  readonly address: Address;
  readonly mac: string;
}

/** One end of the pair, and what belongs on it. */
export interface PlannedEnd {
  readonly name: string;
  readonly mac: string;
  readonly addresses: readonly PlannedAddress[];
  readonly neighbours: readonly PlannedNeighbour[];
  readonly routes: readonly PlannedRoute[];
}

/** The host side, with the marks that make it ours. */
export interface PlannedHostEnd extends PlannedEnd {
  readonly group: number;
  readonly alias: string;
  readonly altNames: readonly string[];
}

/** All that a pod's network is, on both sides of its veth pair. */
export interface PodPlan {
  readonly key: string;
  readonly mtu: number;
  readonly host: PlannedHostEnd;
  readonly pod: PlannedEnd;
}

/** Gateways in the pod. They need not exist on the host: permanent neighbour entries lead to the host side of the pair. */
export const GATEWAYS: Readonly<Record<Family, Address>> = {
  ipv4: { family: "ipv4", value: 0xa9fe0101n },
  ipv6: { family: "ipv6", value: (0xfe80n << 112n) | 1n },
};

/** The main routing table. */
const MAIN_TABLE = 254;
/** RTPROT_BOOT, what `ip route add` sets. */
const BOOT_PROTOCOL = 3;

/**
 * What the network of a pod must be. Throws `RangeError` for an attachment that cannot be written down: no address, a family
 * mixed up, or names that do not fit the kernel's. `attempt` counts up when the interface name is taken.
 */
export function planPod(attachment: PodAttachment, config: PodNetConfig, { attempt = 0 } = {}): PodPlan {
  checkAttachment(attachment);
  const { key } = attachment;
  const name =
    config.compatCalico && attempt === 0
      ? calicoInterfaceName(attachment.podNamespace, attachment.podName)
      : hostInterfaceName(key, attempt);
  const macs = interfaceMacs(key);
  return { key, mtu: config.mtu, host: planHostEnd(attachment, name, config, macs), pod: planPodEnd(attachment, macs) };
}

/** What the host must have for a pod, given the name of its interface there. */
export function planHostEnd(identity: PodIdentity, name: string, config: HostRouteConfig, macs: InterfaceMacs): PlannedHostEnd {
  const { ipv6, podUid, network } = identity;
  const addresses = addressesOf(identity);
  return {
    name,
    mac: macs.host,
    group: LINK_GROUP,
    alias: formatLinkAlias(identity),
    altNames: formatAltNames(name, { podUid, network, addresses }),
    // Answers a pod that has lost its neighbour entry. Not /64: a route and an anycast group on each of many links are dear.
    addresses: ipv6 ? [{ address: GATEWAYS.ipv6, length: 128, scope: "link" }] : [],
    neighbours: addresses.map((address) => ({ address, mac: macs.pod })),
    routes: addresses.map((address) => hostRoute(address, config)),
  };
}

function planPodEnd(attachment: PodAttachment, macs: InterfaceMacs): PlannedEnd {
  const addresses = addressesOf(attachment);
  const linkLocal: PlannedAddress = { address: linkLocalOf(macs.pod), length: 64, scope: "link" };
  return {
    name: attachment.ifname,
    mac: macs.pod,
    addresses: [
      ...addresses.map((address): PlannedAddress => ({ address, length: familyBits(address.family), scope: "global" })),
      ...(attachment.ipv6 ? [linkLocal] : []),
    ],
    neighbours: addresses.map(({ family }) => ({ address: GATEWAYS[family], mac: macs.host })),
    routes: addresses.flatMap(({ family }) => podRoutes(family)),
  };
}

/** The addresses of a pod, IPv4 first. */
export function addressesOf({ ipv4, ipv6 }: { readonly ipv4?: Address; readonly ipv6?: Address }): Address[] {
  return [ipv4, ipv6].filter((address) => address !== undefined);
}

/** The host's route to one address of a pod. Routes of a single node address are why pods see the node's own address. */
export function hostRoute(address: Address, config: HostRouteConfig): PlannedRoute {
  const { family } = address;
  const source = family === "ipv4" ? config.nodeIPv4 : config.nodeIPv6;
  return {
    family,
    destination: hostPrefix(address),
    table: config.podTable,
    protocol: config.protocol,
    // IPv6 routes have no scope: the kernel reports universe.
    scope: family === "ipv4" ? "link" : "universe",
    ...(source ? { source } : {}),
  };
}

function podRoutes(family: Family): PlannedRoute[] {
  const gateway = GATEWAYS[family];
  const base = { family, table: MAIN_TABLE, protocol: BOOT_PROTOCOL } as const;
  const defaultRoute: PlannedRoute = { ...base, scope: "universe", gateway };
  // 169.254.1.1 is on no subnet of the pod. A route, not the onlink flag: sandboxed runtimes copy routes without flags.
  return family === "ipv4" ? [{ ...base, scope: "link", destination: hostPrefix(gateway) }, defaultRoute] : [defaultRoute];
}

/** The link-local address of a MAC address (RFC 4291, appendix A), which the kernel would have made itself. */
export function linkLocalOf(mac: string): Address {
  const bytes = mac.split(":").map((byte) => BigInt(`0x${byte}`));
  const [a = 0n, ...rest] = bytes;
  const identifier = [a ^ 2n, ...rest.slice(0, 2), 0xffn, 0xfen, ...rest.slice(2)].reduce((sum, byte) => (sum << 8n) | byte, 0n);
  return { family: "ipv6", value: (0xfe80n << 112n) | identifier };
}

function checkAttachment(attachment: PodAttachment): void {
  const { key, ipv4, ipv6, containerId, ifname } = attachment;
  if (key !== attachmentKey(attachment)) throw new RangeError(`Cannot plan ${key}: want the key ${containerId}:${ifname}`);
  if (!ipv4 && !ipv6) throw new RangeError(`Cannot plan ${key}: it has no address`);
  if ((ipv4 && ipv4.family !== "ipv4") || (ipv6 && ipv6.family !== "ipv6"))
    throw new RangeError(`Cannot plan ${key}: families mixed up`);
}
