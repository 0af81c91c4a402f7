import { readdir, stat } from "node:fs/promises";

/** Looked at at the same time: the pool of threads that do it is small, and others need it. */
const AT_ONCE = 2;

/**
 * The processes that are in the namespaces with these inode numbers: their ids, ascending, for each number that has any. Looks at
 * all processes of this PID namespace, at each one's main thread. Those that end meanwhile, or that one may not look at, are left
 * out.
 */
export async function processesIn(
  inodes: ReadonlySet<bigint>,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<Map<bigint, number[]>> {
  const found = new Map<bigint, number[]>();
  if (inodes.size === 0) return found;
  const pids = (await readdir("/proc")).filter((name) => /^[0-9]+$/.test(name)).map(Number);
  const left = pids.values();
  async function look(): Promise<void> {
    for (const pid of left) {
      signal?.throwIfAborted();
      const inode = await namespaceOf(pid);
      if (inode === undefined || !inodes.has(inode)) continue;
      const list = found.get(inode);
      if (list) list.push(pid);
      else found.set(inode, [pid]);
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, look));
  for (const list of found.values()) list.sort((a, b) => a - b);
  return found;
}

async function namespaceOf(pid: number): Promise<bigint | undefined> {
  try {
    return (await stat(`/proc/${pid}/ns/net`, { bigint: true })).ino;
  } catch {
    // Gone, a kernel thread, or somebody else's.
    return undefined;
  }
}
