import { readdir, stat } from "node:fs/promises";
import type { NetNamespace } from "../../linux/netns/namespace.ts";
import type { RouteSocket } from "../../linux/route/socket.ts";
import type { Kernel } from "./kernel.ts";

/** Where runtimes bind namespaces. */
const NAMED = "/run/netns";

/**
 * Finds network namespaces by the numbers under which links of `socket`'s namespace name them: those that have a name, then those
 * of processes. Takes time in proportion to the processes of the machine. The caller disposes what is found.
 */
export async function findNamespaces(
  numbers: ReadonlySet<number>,
  kernel: Kernel,
  socket: RouteSocket,
): Promise<Map<number, NetNamespace>> {
  const found = new Map<number, NetNamespace>();
  const seen = new Set<bigint>();
  for await (const path of candidates()) {
    if (found.size === numbers.size) break;
    const inode = await inodeOf(path);
    if (inode === undefined || seen.has(inode)) continue;
    seen.add(inode);
    const namespace = tryOpen(kernel, path);
    const number = namespace && (await socket.namespaceId(namespace));
    if (namespace && number !== undefined && numbers.has(number) && !found.has(number)) found.set(number, namespace);
    else namespace?.[Symbol.dispose]();
  }
  return found;
}

async function* candidates(): AsyncGenerator<string> {
  for (const name of await list(NAMED)) yield `${NAMED}/${name}`;
  for (const name of await list("/proc")) if (/^[0-9]+$/.test(name)) yield `/proc/${name}/ns/net`;
}

async function list(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}

/** Undefined when it is gone already, or nobody may look. */
async function inodeOf(path: string): Promise<bigint | undefined> {
  return stat(path, { bigint: true }).then(
    ({ ino }) => ino,
    () => undefined,
  );
}

function tryOpen(kernel: Kernel, path: string): NetNamespace | undefined {
  try {
    return kernel.openNetNamespace(path);
  } catch {
    return undefined;
  }
}
