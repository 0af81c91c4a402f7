import { createPodNetworkMetrics } from "../../src/apply/pod/metrics.ts";
import { createPodNetwork, type PodNetwork } from "../../src/apply/pod-network.ts";
import { parseAddress } from "../../src/ip/address.ts";
import { createNetNamespace } from "../../src/linux/netns/namespace.ts";
import { createSilentLogger } from "../../src/observe/logger.ts";
import { createRegistry } from "../../src/observe/metrics.ts";
import type { PodNetConfig } from "../../src/podnet/plan.ts";
import { createPodHost, NODE_IPV4, NODE_IPV6 } from "../../test/support/pod-host.ts";

/** A node as far as its network goes, with a pod network that runs as in coild, and namespaces for pods. */
export interface BenchNode extends AsyncDisposable {
  /** Path of its namespace. */
  readonly host: string;
  /** Path of the namespace of a node like it on which nothing runs, for the kernel alone. */
  readonly bareHost: string;
  readonly network: PodNetwork;
  /** Of the pods' plans. */
  readonly config: PodNetConfig;
  /** Paths of so many pods' namespaces; the same ones each time. */
  pods(count: number): string[];
  /** Seconds of a part of set-ups or tear-downs, since the last call for it. */
  phase(name: string): number[];
}

const TABLE = 116;
const PROTOCOL = 30;
const MTU = 1450;

/** Makes the node. Nothing of it is left when it is disposed, or when this process ends. */
export async function createBenchNode(): Promise<BenchNode> {
  const resources = new AsyncDisposableStack();
  const podHost = resources.use(await createPodHost());
  const bare = resources.use(await createPodHost());
  const spaces: string[] = [];
  const phases = new Map<string, number[]>();
  const counting = createPodNetworkMetrics(createRegistry());
  const nodeAddresses = { ipv4: parseAddress(NODE_IPV4), ipv6: parseAddress(NODE_IPV6) };
  const config = { podTable: TABLE, rulePriority: 2000, protocol: PROTOCOL, nodeAddresses, compatCalico: false };
  const network = resources.use(
    createPodNetwork(
      {
        config,
        log: createSilentLogger(),
        metrics: {
          driftRepaired: counting.driftRepaired,
          phase(name, seconds) {
            counting.phase(name, seconds);
            const taken = phases.get(name);
            if (taken) taken.push(seconds);
            else phases.set(name, [seconds]);
          },
        },
      },
      { namespace: podHost.host.ns },
    ),
  );
  const stopping = new AbortController();
  {
    // The same settings, for forwarding makes links dearer.
    await using settings = createPodNetwork({ config, log: createSilentLogger() }, { namespace: bare.host.ns });
    await settings.initialise(stopping.signal);
  }
  await network.initialise(stopping.signal);
  const running = network.run(stopping.signal);
  resources.defer(async () => {
    stopping.abort();
    await running.catch(() => undefined);
  });
  return {
    host: podHost.host.path,
    bareHost: bare.host.path,
    network,
    config: {
      ...{ podTable: TABLE, protocol: PROTOCOL, mtu: MTU, compatCalico: false },
      ...{ nodeIPv4: nodeAddresses.ipv4, nodeIPv6: nodeAddresses.ipv6 },
    },
    pods(count) {
      while (spaces.length < count) {
        const space = resources.use(createNetNamespace());
        spaces.push(`/proc/${process.pid}/fd/${space.fd}`);
      }
      return spaces.slice(0, count);
    },
    phase(name) {
      const taken = phases.get(name) ?? [];
      phases.delete(name);
      return taken;
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
