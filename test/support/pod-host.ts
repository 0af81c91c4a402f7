import { createPodNetwork, type PodNetwork, type PodNetworkConfig, type PodNetworkDeps } from "../../src/apply/pod-network.ts";
import { parseAddress } from "../../src/ip/address.ts";
import { createSilentLogger } from "../../src/observe/logger.ts";
import type { PodAttachment } from "../../src/podnet/plan.ts";
import { createTestNamespace, type TestNamespace } from "./netns.ts";

/** A node as far as its network goes: a namespace with an uplink and node addresses, and another that stands for the outside. */
export interface PodHost extends AsyncDisposable {
  readonly host: TestNamespace;
  readonly outside: TestNamespace;
  /** A pod network of this host, disposed with it. */
  network(deps?: Partial<PodNetworkDeps>, config?: Partial<PodNetworkConfig>): PodNetwork;
  /** Lets something run until the host is disposed. */
  start(runner: { run(signal: AbortSignal): Promise<void> }): void;
  /** A namespace for a pod, disposed with the host. */
  podNamespace(): Promise<TestNamespace>;
}

export const NODE_IPV4 = "192.0.2.10";
export const NODE_IPV6 = "2001:db8::10";

/** An uplink of MTU 1450 that leads everywhere, in both families. */
export async function createPodHost(): Promise<PodHost> {
  const resources = new AsyncDisposableStack();
  const host = resources.use(await createTestNamespace());
  const outside = resources.use(await createTestNamespace());
  await host.ip(`link add eth0 mtu 1450 type veth peer name eth0 netns ${outside.path}`);
  for (const [space, last] of [
    [host, "10"],
    [outside, "1"],
  ] as const) {
    await space.ip("link set eth0 addrgenmode none");
    await space.ip("link set eth0 up");
    await space.ip(`address add 192.0.2.${last}/24 dev eth0`);
    await space.ip(`address add 2001:db8::${last}/64 dev eth0 nodad`);
    // Without one the kernel asks for no neighbour.
    await space.ip(`address add fe80::${last}/64 dev eth0 nodad`);
  }
  await host.ip("route add default via 192.0.2.1");
  await host.ip("-6 route add default via 2001:db8::1");
  return {
    host,
    outside,
    network(deps = {}, config = {}) {
      const full: PodNetworkConfig = {
        podTable: 116,
        rulePriority: 2000,
        protocol: 30,
        nodeAddresses: { ipv4: parseAddress(NODE_IPV4), ipv6: parseAddress(NODE_IPV6) },
        compatCalico: false,
        ...config,
      };
      return resources.use(createPodNetwork({ log: createSilentLogger(), ...deps, config: full }, { namespace: host.ns }));
    },
    start(runner) {
      const controller = new AbortController();
      const running = runner.run(controller.signal);
      resources.defer(async () => {
        controller.abort();
        await running;
      });
    },
    podNamespace: async () => resources.use(await createTestNamespace()),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** An attachment of pod number `n`: container `c<n>`, addresses 10.2.0.n and fd02::n (hexadecimal). */
export function attachmentOf(n: number, families: "ipv4" | "ipv6" | "dual" = "dual"): PodAttachment {
  return {
    key: `c${n}:eth0`,
    containerId: `c${n}`,
    ifname: "eth0",
    pool: "default",
    ...(families === "ipv6" ? {} : { ipv4: parseAddress(`10.2.${n >> 8}.${n & 255}`) }),
    ...(families === "ipv4" ? {} : { ipv6: parseAddress(`fd02::${n.toString(16)}`) }),
    network: "k8s-pod-network",
    podUid: `uid-${n}`,
    podNamespace: "default",
    podName: `pod-${n}`,
  };
}
