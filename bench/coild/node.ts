import { join } from "node:path";
import type { AddressPoolSpec } from "../../src/crd/address-pool.ts";
import { namespaces, nodes, pods } from "../../src/kube/resources.ts";
import { createNetNamespace } from "../../src/linux/netns/namespace.ts";
import { type IpamCluster, startIpamCluster } from "../../test/support/ipam-cluster.ts";
import { createPodHost, NODE_IPV4, NODE_IPV6 } from "../../test/support/pod-host.ts";
import { accountKubeconfig } from "../programs/account.ts";
import { bundle } from "../programs/bundle.ts";
import { type BenchProgram, startProgram } from "../programs/process.ts";

/** A pod of the API with a namespace on the node. */
export interface BenchPod {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly netns: string;
}

/** One node of a cluster with a real API server; each program is a process of its own. */
export interface CoildNode extends AsyncDisposable {
  readonly cluster: IpamCluster;
  readonly socket: string;
  /** Path of its network namespace. */
  readonly host: string;
  readonly coild: BenchProgram;
  readonly controller: BenchProgram;
  readonly router: BenchProgram;
  /** A pool, and a namespace whose pods get their addresses from it. */
  addPool(name: string, spec: AddressPoolSpec): Promise<void>;
  addPods(namespace: string, count: number): Promise<BenchPod[]>;
}

const NAME = "bench-node";
const NEVER = new AbortController().signal;

/** Starts everything; `default` is a dual-stack pool whose blocks have 1,024 addresses, so that one is enough. */
export async function startCoildNode(folder: string): Promise<CoildNode> {
  await using resources = new AsyncDisposableStack();
  const [coildFile, routerFile, controllerFile] = await Promise.all(
    ["bench/programs/coild.ts", "bench/programs/coil-router.ts", "bin/coil-ipam-controller.ts"].map((file) =>
      bundle(file, folder),
    ),
  );
  const cluster = resources.use(await startIpamCluster());
  const { client, api } = cluster;
  const podHost = resources.use(await createPodHost());
  const made = await client.create(nodes, { metadata: { name: NAME } }, { signal: NEVER });
  const addresses = [NODE_IPV4, NODE_IPV6].map((address) => ({ type: "InternalIP", address }));
  await client.updateStatus(nodes, { ...made, status: { addresses } }, { signal: NEVER });
  await cluster.addPool("default", { blockSizeBits: 10, subnets: [{ ipv4: "10.100.0.0/16", ipv6: "fd00:100::/112" }] });
  const socket = join(folder, "coild.sock");

  async function start(name: string, file: string | undefined, flags: readonly string[] = []): Promise<BenchProgram> {
    const kubeconfig = await accountKubeconfig(api, name, folder);
    const env = { KUBECONFIG: kubeconfig, COIL_NODE_NAME: NAME, BENCH_NETNS: podHost.host.path };
    return resources.use(await startProgram({ name, file: file as string, folder, env, flags }));
  }
  const controller = await start("coil-ipam-controller", controllerFile);
  const coild = await start("coild", coildFile, [`--socket=${socket}`, "--address-reuse-delay=0s"]);
  const router = await start("coil-router", routerFile);
  const owned = resources.move();
  return {
    ...{ cluster, socket, host: podHost.host.path, coild, controller, router },
    async addPool(name, spec) {
      await cluster.addPool(name, spec);
      const annotations = { "coil.cybozu.com/pool": name };
      await client.create(namespaces, { metadata: { name, annotations } }, { signal: NEVER });
    },
    addPods: (namespace, count) =>
      Promise.all(
        Array.from({ length: count }, async (_, i) => {
          const spec = { nodeName: NAME, containers: [{ name: "c", image: "i" }] };
          const pod = await client.create(pods, { metadata: { name: `pod-${i}`, namespace }, spec }, { signal: NEVER });
          const space = owned.use(createNetNamespace());
          const { name, uid = "" } = pod.metadata;
          return { name, namespace, uid, netns: `/proc/${process.pid}/fd/${space.fd}` };
        }),
      ),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
