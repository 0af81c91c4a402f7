import type { Link } from "../../linux/route/link.ts";
import type { RouteSocket } from "../../linux/route/socket.ts";
import type { Logger } from "../../observe/logger.ts";
import type { KnownPod } from "../../podnet/observed-pods.ts";
import type { Kernel } from "./kernel.ts";
import { findNamespaces } from "./pod-namespaces.ts";

interface Tools {
  readonly kernel: Kernel;
  readonly socket: RouteSocket;
  readonly log: Logger;
}

/**
 * Pods of the Go implementation are known by their routes alone, and it loses some (only IPv4, or all when a table was flushed). So
 * their own namespaces are asked for addresses, where these can be found. Never rejects: a pod that cannot be asked stays as it was.
 */
export async function completeGoPods(pods: readonly KnownPod[], links: readonly Link[], tools: Tools): Promise<KnownPod[]> {
  const linkOf = new Map(links.map((link) => [link.index, link]));
  const numberOf = (pod: KnownPod) => linkOf.get(pod.index)?.peerNamespaceId;
  const numbers = new Set(pods.map(numberOf).filter((number) => number !== undefined));
  if (numbers.size === 0) return [...pods];
  try {
    const namespaces = await findNamespaces(numbers, tools.kernel, tools.socket);
    using _all = disposeAll(namespaces.values());
    return await Promise.all(
      pods.map(async (pod) => {
        const namespace = namespaces.get(numberOf(pod) ?? -1);
        const peerIndex = linkOf.get(pod.index)?.peerIndex;
        if (!namespace || peerIndex === undefined) return pod;
        using socket = tools.kernel.openRouteSocket(namespace);
        const found = (await socket.addresses({ index: peerIndex }))
          .filter(({ scope }) => scope === "global")
          .map(({ address }) => address);
        const ipv4 = pod.ipv4 ?? found.find(({ family }) => family === "ipv4");
        const ipv6 = pod.ipv6 ?? found.find(({ family }) => family === "ipv6");
        return { ...pod, ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }) };
      }),
    );
  } catch (error) {
    tools.log.warn({ err: error }, "cannot ask pods that the Go implementation set up for their addresses");
    return [...pods];
  }
}

function disposeAll(items: Iterable<Disposable>): Disposable {
  const stack = new DisposableStack();
  for (const item of items) stack.use(item);
  return stack;
}
