import { readdir, stat } from "node:fs/promises";
import { type NetNamespace, openNetNamespace } from "../../linux/netns/namespace.ts";
import type { RouteSocket } from "../../linux/route/socket.ts";

/**
 * Of host links, given by index, those whose other end is in a namespace that a process is in. Looks at all processes, which takes
 * some milliseconds on a full node: for clean-ups only. Links that are gone are left out.
 */
export async function linksWithProcesses(
  socket: Pick<RouteSocket, "link" | "namespaceId">,
  indexes: readonly number[],
  { signal }: { readonly signal: AbortSignal },
): Promise<Set<number>> {
  const peers = new Map<number, number>();
  for (const index of indexes) {
    const id = (await socket.link({ index }))?.peerNamespaceId;
    if (id !== undefined) peers.set(index, id);
  }
  const inhabited = peers.size === 0 ? new Set<number>() : await inhabitedNamespaces(socket, signal);
  return new Set([...peers].flatMap(([index, id]) => (inhabited.has(id) ? [index] : [])));
}

/** Ids, as the socket's namespace numbers them, of the namespaces that processes are in. */
async function inhabitedNamespaces(socket: Pick<RouteSocket, "namespaceId">, signal: AbortSignal): Promise<Set<number>> {
  const seen = new Set<bigint>();
  const ids = new Set<number>();
  for (const pid of await readdir("/proc")) {
    signal.throwIfAborted();
    if (!/^[0-9]+$/.test(pid)) continue;
    const path = `/proc/${pid}/ns/net`;
    // Gone, a kernel thread, or somebody else's.
    const inode = await stat(path, { bigint: true }).then(
      ({ ino }) => ino,
      () => undefined,
    );
    if (inode === undefined || seen.has(inode)) continue;
    seen.add(inode);
    using namespace = open(path);
    const id = namespace && (await socket.namespaceId(namespace));
    if (id !== undefined) ids.add(id);
  }
  return ids;
}

function open(path: string): NetNamespace | undefined {
  try {
    return openNetNamespace(path);
  } catch {
    return undefined;
  }
}
