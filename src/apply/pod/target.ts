import { KernelError } from "../../linux/kernel-error.ts";
import type { NetNamespace } from "../../linux/netns/namespace.ts";
import type { RouteSocket } from "../../linux/route/socket.ts";
import { PodNetworkError } from "../pod-network-error.ts";
import type { Kernel } from "./kernel.ts";

/** A pod's network namespace. Disposing closes it, and the socket. */
export interface Target extends Disposable {
  readonly path: string;
  readonly namespace: NetNamespace;
  /** A socket in it, the same each time. Throws `KernelError`. */
  openSocket(): RouteSocket;
}

/** Opens the namespace that a runtime named. Throws {@link PodNetworkError}. */
export function openTarget(kernel: Kernel, path: string, hostInode: bigint): Target {
  using resources = new DisposableStack();
  const namespace = resources.use(openNamespace(kernel, path));
  if (namespace.inode === hostInode) {
    throw new PodNetworkError("host-namespace", `Cannot use ${path} as a pod's network namespace: it is the node's own`);
  }
  const owned = resources.move();
  let socket: RouteSocket | undefined;
  return {
    path,
    namespace,
    openSocket: () => (socket ??= owned.use(kernel.openRouteSocket(namespace))),
    [Symbol.dispose]: () => owned.dispose(),
  };
}

function openNamespace(kernel: Kernel, path: string): NetNamespace {
  try {
    return kernel.openNetNamespace(path);
  } catch (error) {
    const code = error instanceof KernelError ? error.code : undefined;
    if (code === "EINVAL")
      throw new PodNetworkError("not-a-namespace", `Cannot use ${path}: it is not a network namespace`, { cause: error });
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ESRCH") {
      throw new PodNetworkError("namespace-gone", `Cannot use ${path}: there is no such network namespace`, { cause: error });
    }
    throw error;
  }
}
