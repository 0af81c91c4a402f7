import type { ClusterPlan } from "../cluster/plan.ts";

/** A pool of the demonstration, with one subnet a family. */
export interface DemoPool {
  readonly name: string;
  readonly subnet: { readonly ipv4: string; readonly ipv6: string };
  readonly blockSizeBits: number;
}

/** A namespace of the demonstration, and the pool that its annotation names; absent for the default pool. */
export interface DemoNamespace {
  readonly name: string;
  readonly pool?: string;
}

export const POOLS: readonly DemoPool[] = [
  { name: "default", subnet: { ipv4: "10.100.0.0/16", ipv6: "fd10:100::/112" }, blockSizeBits: 5 },
  // Such as the few addresses that the world outside knows: small blocks, so that none of them lies idle on a node.
  { name: "global", subnet: { ipv4: "198.51.100.0/26", ipv6: "2001:db8:51::/122" }, blockSizeBits: 1 },
];

export const NAMESPACES: readonly DemoNamespace[] = [{ name: "shop" }, { name: "edge", pool: "global" }];

const PODS_A_NODE = 2;
const APP = "demo";

/** The pools, in the families of the lab. */
export function poolObjects({ families }: ClusterPlan): object[] {
  return POOLS.map(({ name, subnet, blockSizeBits }) => ({
    apiVersion: "coil.cybozu.com/v2",
    kind: "AddressPool",
    metadata: { name },
    spec: { blockSizeBits, subnets: [Object.fromEntries(families.map((family) => [family, subnet[family]]))] },
  }));
}

export function namespaceObjects(): object[] {
  return NAMESPACES.map(({ name, pool }) => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, ...(pool !== undefined && { annotations: { "coil.cybozu.com/pool": pool } }) },
  }));
}

/** A Deployment in each namespace, spread evenly over the nodes. */
export function workloadObjects({ nodes }: ClusterPlan): object[] {
  return NAMESPACES.map(({ name }) => {
    const labels = { app: APP };
    const spread = {
      maxSkew: 1,
      topologyKey: "kubernetes.io/hostname",
      whenUnsatisfiable: "DoNotSchedule",
      labelSelector: { matchLabels: labels },
    };
    return {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: APP, namespace: name },
      spec: {
        replicas: PODS_A_NODE * nodes.length,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            terminationGracePeriodSeconds: 5,
            topologySpreadConstraints: [spread],
            containers: [{ name: "app", image: "none", command: ["sleep", "infinity"] }],
          },
        },
      },
    };
  });
}
