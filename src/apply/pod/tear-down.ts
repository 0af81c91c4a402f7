import type { RouteSocket } from "../../linux/route/socket.ts";
import { attachmentKey, hostInterfaceName, parseLinkAlias } from "../../podnet/names.ts";
import type { KnownPod } from "../../podnet/observed-pods.ts";
import type { LinkRemover } from "./link-remover.ts";
import type { PodNetworkMetrics } from "./metrics.ts";
import type { PodIndex } from "./pod-index.ts";

/** Deletes pods' networks, and forgets them when the kernel has none of their links any more. */
export interface TearDown {
  removePod(pod: KnownPod): Promise<"removed" | "absent">;
  /** The pod of a key; one that the index does not know, though it should, is found by its name. */
  removeKey(key: string): Promise<"removed" | "absent">;
}

interface TearDownOptions {
  readonly host: Pick<RouteSocket, "link">;
  readonly pods: PodIndex;
  readonly remover: LinkRemover;
  readonly metrics: PodNetworkMetrics;
}

/** Tear-downs of the pods in `pods`. */
export function createTearDown({ host, pods, remover, metrics }: TearDownOptions): TearDown {
  /** Indexes of our pods' links are ours alone, but those of the Go implementation's are the kernel's, which gives them away again. */
  async function isStillThere(pod: KnownPod): Promise<boolean> {
    return pod.origin === "ours" || isOfKey(await host.link({ index: pod.index }), pod.key);
  }

  async function removePod(pod: KnownPod): Promise<"removed" | "absent"> {
    const started = performance.now();
    const outcome = (await isStillThere(pod)) ? await remover.remove(pod.index) : "absent";
    metrics.phase("delete", (performance.now() - started) / 1000);
    if (pods.get(pod.key) === pod) pods.delete(pod.key);
    return outcome;
  }

  return {
    removePod,
    async removeKey(key) {
      const pod = pods.get(key);
      if (pod) return removePod(pod);
      const link = await host.link({ name: hostInterfaceName(key) });
      return link && isOfKey(link, key) ? remover.remove(link.index) : "absent";
    },
  };
}

function isOfKey(link: { readonly alias?: string } | undefined, key: string): boolean {
  const alias = parseLinkAlias(link?.alias);
  return alias !== undefined && attachmentKey(alias) === key;
}
