import { formatAddress } from "../../ip/address.ts";
import { addressesOf } from "../../ipam/allocation.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { Clock } from "../../kube/clock.ts";
import { pods as podResource } from "../../kube/resources.ts";
import type { Logger } from "../../observe/logger.ts";
import type { ObservedPod } from "../../podnet/observed-pods.ts";
import { podUids } from "./pod-identity.ts";

export interface OrphansDeps {
  readonly node: string;
  readonly client: Pick<KubeClient, "list">;
  readonly observed: () => readonly ObservedPod[];
  /** Of these host links, those whose pod has a process. */
  readonly withProcesses: (indexes: readonly number[], options: { readonly signal: AbortSignal }) => Promise<ReadonlySet<number>>;
  readonly detach: (pod: ObservedPod) => Promise<void>;
  /** Between the two looks, in ms: what is an orphan by mistake, a sandbox just replaced for example, is none the second time. */
  readonly secondLookMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Detaches what no pod needs: the runtime never called DEL, or gave up an ADD that was answered. An attachment is an orphan when its
 * pod is not in the API any more, or has a newer attachment of the same interface, and no process is in its namespace; twice in a row.
 */
export async function collectOrphans(deps: OrphansDeps, { signal }: { readonly signal: AbortSignal }): Promise<void> {
  const first = await findOrphans(deps, signal);
  if (first.length === 0) return;
  await deps.clock.sleep(deps.secondLookMs, { signal });
  const suspects = new Set(first.map(({ index }) => index));
  for (const pod of await findOrphans(deps, signal)) {
    if (!suspects.has(pod.index)) continue;
    deps.log.info({ key: pod.key, podUid: pod.podUid }, "removing an attachment that no pod needs");
    await deps.detach(pod);
  }
}

async function findOrphans({ node, client, observed, withProcesses }: OrphansDeps, signal: AbortSignal): Promise<ObservedPod[]> {
  // Before the list: a pod that is attached after it would not be in it.
  const attached = observed();
  if (attached.length === 0) return [];
  const selection = { fieldSelector: `spec.nodeName=${node}` };
  const { items } = await client.list(podResource, selection, { signal, metadataOnly: true });
  const uids = new Set(items.flatMap(podUids));
  // Attachments of the Go implementation do not tell the pod's UID.
  const inherited = attached.filter(({ origin }) => origin === "go");
  const used = inherited.length === 0 ? new Set<string>() : await podAddresses(client, selection, signal);
  const newest = new Map<string, number>();
  for (const pod of attached) newest.set(interfaceOf(pod), Math.max(pod.index, newest.get(interfaceOf(pod)) ?? 0));
  const suspects = attached.filter((pod) => {
    if (pod.origin === "go") return !addressesOf(pod).some((address) => used.has(formatAddress(address)));
    // Without a UID it is not a pod of a kubelet: the runtime alone knows.
    if (!pod.podUid) return false;
    return !uids.has(pod.podUid) || newest.get(interfaceOf(pod)) !== pod.index;
  });
  const alive = await withProcesses(
    suspects.map(({ index }) => index),
    { signal },
  );
  return suspects.filter(({ index }) => !alive.has(index));
}

/** What a pod has one of. */
function interfaceOf({ podUid, network, ifname, key }: ObservedPod): string {
  return podUid ? [podUid, network, ifname].join(" ") : key;
}

async function podAddresses(
  client: Pick<KubeClient, "list">,
  selection: { readonly fieldSelector: string },
  signal: AbortSignal,
): Promise<Set<string>> {
  const { items } = await client.list(podResource, selection, { signal });
  return new Set(items.flatMap(({ status }) => (status?.podIPs ?? []).flatMap(({ ip }) => ip ?? [])));
}
