import type { KernelError } from "../../linux/kernel-error.ts";
import type { NetNamespace } from "../../linux/netns/namespace.ts";
import type { RouteRequest } from "../../linux/route/request.ts";
import type { RouteSocket } from "../../linux/route/socket.ts";
import type { Kernel } from "./kernel.ts";

/** One end of a pair that gets its content. */
export interface End {
  readonly socket: RouteSocket;
  /** Where sysctls are written; the current namespace if absent. */
  readonly namespace: NetNamespace | undefined;
  readonly name: string;
  readonly needsIPv6: boolean;
}

/**
 * Sends requests for one end. Where IPv6 is switched off for the link though it is needed, as container runtimes and administrators
 * do by default settings, it is switched on for this link alone and what had failed is sent again. Rejects with `KernelError`.
 */
export async function applyToEnd(kernel: Kernel, end: End, requests: readonly RouteRequest[]): Promise<void> {
  const failed = await send(end, requests);
  const [first] = failed;
  if (!first) return;
  if (!end.needsIPv6 || !failed.some(({ error }) => isIPv6Off(error))) throw first.error;
  enableIPv6(kernel, end);
  const [again] = await send(
    end,
    failed.map(({ request }) => request),
  );
  if (again) throw again.error;
}

/** Creates a pair and sets up one end. Returns why the pair was refused; rejects when something failed after it was made. */
export async function createPair(end: End, requests: readonly RouteRequest[]): Promise<KernelError | undefined> {
  const failed = await send(end, requests);
  const refused = failed.find(({ request }) => request === requests[0]);
  if (refused) return refused.error;
  if (failed[0]) throw failed[0].error;
  return undefined;
}

async function send(end: End, requests: readonly RouteRequest[]): Promise<{ request: RouteRequest; error: KernelError }[]> {
  const results = await end.socket.tryBatch(requests);
  return requests.flatMap((request, i) => {
    const error = results[i];
    // A kernel without IPv6 has no way to make link-local addresses that would have to be prevented.
    if (!error || (!end.needsIPv6 && isNoIPv6(error))) return [];
    return { request, error };
  });
}

/** `disable_ipv6` of the link refuses addresses with EACCES, and routes with ENODEV or EACCES as their link is no IPv6 link. */
function isIPv6Off({ code }: KernelError): boolean {
  return code === "EACCES" || code === "EPERM";
}

function isNoIPv6({ code }: KernelError): boolean {
  return code === "EAFNOSUPPORT" || code === "EOPNOTSUPP";
}

function enableIPv6(kernel: Kernel, { name, namespace }: End): void {
  try {
    kernel.writeSysctl(["net", "ipv6", "conf", name, "disable_ipv6"], "0", namespace);
  } catch (error) {
    throw new Error(`Cannot switch IPv6 on for ${name}, which has it disabled (net.ipv6.conf.${name}.disable_ipv6)`, {
      cause: error,
    });
  }
}
