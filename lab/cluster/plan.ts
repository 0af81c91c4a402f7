import { formatAddress } from "../../src/ip/address.ts";
import { FAMILIES, type Family } from "../../src/ip/family.ts";
import { addressAt, parsePrefix } from "../../src/ip/prefix.ts";

/** The address families of a lab. */
export type LabFamily = Family | "dual";

/** What a user may choose. */
export interface LabOptions {
  /** Nodes in all, the control plane's among them. */
  readonly nodes: number;
  readonly family: LabFamily;
}

export interface LabNode {
  readonly name: string;
  readonly controlPlane: boolean;
  /** One address a family, the primary family first. */
  readonly addresses: readonly string[];
}

/** A link of the fabric to a namespace, where it is `eth0`. */
export interface FabricPort {
  /** The fabric's end. */
  readonly link: string;
  readonly namespace: string;
  /** Of `eth0`. A node that is made anew keeps it, as a machine does, so that its neighbours need not learn another. */
  readonly mac: string;
  /** With prefix length, one a family. */
  readonly addresses: readonly string[];
  readonly gateways: readonly string[];
}

/** Everything about a lab that follows from the options. */
export interface ClusterPlan {
  readonly options: LabOptions;
  /** IPv4 first. */
  readonly families: readonly Family[];
  readonly nodes: readonly LabNode[];
  readonly serviceRanges: readonly string[];
  /** The addresses of the API server's Service, in the order of the families. */
  readonly apiServiceAddress: string;
  readonly apiServer: string;
  /** Of the bridge that the nodes share, with prefix length. The nodes' default gateways. */
  readonly bridgeAddresses: readonly string[];
  readonly nodePorts: readonly FabricPort[];
  readonly outsidePort: FabricPort;
  /** The fabric's own addresses on the link to the outside, with prefix length. */
  readonly outsideGateways: readonly string[];
}

export const FABRIC = "coil-fabric";
export const OUTSIDE = "coil-outside";
export const CONTROL_PLANE = "coil-control-plane";
export const MAX_NODES = 50;

const NODE_NETWORKS = { ipv4: parsePrefix("172.30.0.0/24"), ipv6: parsePrefix("fd30::/64") };
const OUTSIDE_NETWORKS = { ipv4: parsePrefix("203.0.113.0/24"), ipv6: parsePrefix("2001:db8::/64") };
const SERVICE_RANGES = { ipv4: parsePrefix("10.96.0.0/16"), ipv6: parsePrefix("fd10:96::/112") };
const OUTSIDE_HOST = 10n;

/** Names and addresses of a lab. Nodes are called as in kind. */
export function planCluster(options: LabOptions): ClusterPlan {
  const families = options.family === "dual" ? FAMILIES : [options.family];
  const host = (networks: typeof NODE_NETWORKS, offset: bigint) =>
    families.map((family) => formatAddress(addressAt(networks[family], offset)));
  const withLength = (networks: typeof NODE_NETWORKS, offset: bigint) =>
    families.map((family) => `${formatAddress(addressAt(networks[family], offset))}/${networks[family].length}`);

  const nodes = Array.from({ length: options.nodes }, (_, index) => ({
    name: nodeName(index),
    controlPlane: index === 0,
    addresses: host(NODE_NETWORKS, BigInt(index) + 2n),
  }));
  const apiServer = nodes[0]?.addresses[0] ?? "";
  return {
    options,
    families,
    nodes,
    serviceRanges: families.map((family) => `${formatAddress(SERVICE_RANGES[family].address)}/${SERVICE_RANGES[family].length}`),
    apiServiceAddress: host(SERVICE_RANGES, 1n)[0] ?? "",
    apiServer: `https://${apiServer.includes(":") ? `[${apiServer}]` : apiServer}:6443`,
    bridgeAddresses: withLength(NODE_NETWORKS, 1n),
    nodePorts: nodes.map(({ name }, index) => ({
      link: `node${index}`,
      namespace: name,
      mac: macAddress(index + 2),
      addresses: withLength(NODE_NETWORKS, BigInt(index) + 2n),
      gateways: host(NODE_NETWORKS, 1n),
    })),
    outsidePort: {
      link: "outside",
      namespace: OUTSIDE,
      mac: macAddress(0xff),
      addresses: withLength(OUTSIDE_NETWORKS, OUTSIDE_HOST),
      gateways: host(OUTSIDE_NETWORKS, 1n),
    },
    outsideGateways: withLength(OUTSIDE_NETWORKS, 1n),
  };
}

/** `coil-control-plane`, `coil-worker`, `coil-worker2`, … */
function nodeName(index: number): string {
  if (index === 0) return CONTROL_PLANE;
  return index === 1 ? "coil-worker" : `coil-worker${index}`;
}

/** A locally administered address. */
function macAddress(last: number): string {
  return `02:c0:11:1a:00:${last.toString(16).padStart(2, "0")}`;
}
