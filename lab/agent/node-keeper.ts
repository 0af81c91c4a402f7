import { isApiError } from "../../src/kube/api-error.ts";
import type { KubeClient } from "../../src/kube/client.ts";
import { realClock } from "../../src/kube/clock.ts";
import type { KubeLog } from "../../src/kube/log.ts";
import { leases, type Node, nodes } from "../../src/kube/resources.ts";
import type { LightNode } from "./light-node.ts";
import { nodeObject, nodeStatus } from "./node-object.ts";

/** Often enough for the controller manager's 16 s. */
const RENEW_MS = 4000;
/** As long as the network is not ready, somebody waits for it. */
const EAGER_MS = 250;
const HEARTBEAT_MS = 60_000;
const LEASE_NAMESPACE = "kube-node-lease";
const LEASE_SECONDS = 16;

export interface NodeKeeperOptions {
  readonly client: KubeClient;
  readonly node: LightNode;
  /** The address at which the API server reaches the agent. */
  readonly kubelet: string;
  readonly log: KubeLog;
  /** Called with each new Node object's UID before the node tells that it is ready. */
  readonly onRegistered: (uid: string, signal: AbortSignal) => Promise<void>;
}

/** Keeps a node in the API: registers it, says whether its network is ready, renews its lease. */
export interface NodeKeeper {
  run(signal: AbortSignal): Promise<void>;
  /** Registers anew, as a kubelet does when it is started. */
  activate(): void;
  /** Why the node is not ready; undefined when it is. */
  readonly problem: string | undefined;
}

export function createNodeKeeper({ client, node, kubelet, log, onRegistered }: NodeKeeperOptions): NodeKeeper {
  let registered: Node | undefined;
  let problem: string | undefined = "the node has not registered yet";
  let told: { problem: string | undefined; at: number } | undefined;
  let wake = Promise.withResolvers<void>();

  const register = async (signal: AbortSignal): Promise<Node> => {
    const found = await client.get(nodes, { name: node.name }, { signal });
    const object = found ?? (await client.create(nodes, nodeObject(node), { signal }));
    log.info({ uid: object.metadata.uid }, found ? "the node is registered" : "registered the node");
    told = undefined;
    await onRegistered(object.metadata.uid ?? "", signal);
    return object;
  };

  const tell = async (signal: AbortSignal): Promise<void> => {
    problem = await node.cni.problem({ signal });
    const now = realClock.now();
    if (told && told.problem === problem && now - told.at < HEARTBEAT_MS) return;
    if (told?.problem !== problem || !told)
      log.info({ problem }, problem === undefined ? "the network is ready" : "the network is not ready");
    const time = new Date().toISOString().replace(/\.\d+Z$/, "Z");
    const status = nodeStatus(node, registered, { problem, now: time, kubelet });
    registered = await client.patch(nodes, node, { type: "merge", body: { status }, subresource: "status" }, { signal });
    told = { problem, at: now };
  };

  const step = async (signal: AbortSignal): Promise<void> => {
    registered ??= await register(signal);
    await tell(signal);
    await renewLease(client, node.name, registered, signal);
  };

  return {
    async run(signal) {
      while (!signal.aborted) {
        try {
          if (node.active) await step(signal);
        } catch (err) {
          if (signal.aborted) return;
          problem = (err as Error).message;
          log.warn({ err }, "cannot keep the node in the API: will try again");
        }
        const pause = new AbortController();
        const ms = problem === undefined || !node.active ? RENEW_MS : EAGER_MS;
        await Promise.race([realClock.sleep(ms, { signal: AbortSignal.any([signal, pause.signal]) }), wake.promise]).catch(
          () => {},
        );
        pause.abort();
      }
    },
    activate() {
      registered = undefined;
      wake.resolve();
      wake = Promise.withResolvers();
    },
    get problem() {
      return node.active ? problem : "the kubelet was stopped";
    },
  };
}

async function renewLease(client: KubeClient, name: string, owner: Node, signal: AbortSignal): Promise<void> {
  const ref = { namespace: LEASE_NAMESPACE, name };
  const renewTime = new Date().toISOString().replace("Z", "000Z");
  try {
    await client.patch(leases, ref, { type: "merge", body: { spec: { renewTime } } }, { signal });
  } catch (error) {
    if (!isApiError(error, "NotFound")) throw error;
    const ownerReferences = [{ apiVersion: "v1", kind: "Node", name, uid: owner.metadata.uid ?? "" }];
    const spec = { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime };
    await client.create(leases, { metadata: { ...ref, ownerReferences }, spec }, { signal });
  }
}
