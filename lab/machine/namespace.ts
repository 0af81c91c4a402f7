import { readdirSync, rmSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "./command.ts";

const DIRECTORY = "/run/netns";
const NSFS_MAGIC = 0x6e736673;

/** The file of a named network namespace, as `ip netns` has it. */
export function namespacePath(name: string): string {
  return join(DIRECTORY, name);
}

/** The inode of a named namespace; undefined when there is none. A plain file, as a reboot may leave, is none. */
export function namespaceInode(name: string): bigint | undefined {
  try {
    const path = namespacePath(name);
    return statfsSync(path).type === NSFS_MAGIC ? statSync(path, { bigint: true }).ino : undefined;
  } catch {
    return undefined;
  }
}

/** Tells a namespace from all others that ever had its name: inodes are given again. Undefined when there is none. */
export function namespaceIdentity(name: string): string | undefined {
  if (namespaceInode(name) === undefined) return undefined;
  const { ino, ctimeNs } = statSync(namespacePath(name), { bigint: true });
  return `${ino}-${ctimeNs}`;
}

/** Names under /run/netns that begin with `prefix`, also those whose namespace is gone. */
export function listNamespaces(prefix: string): string[] {
  try {
    return readdirSync(DIRECTORY).filter((name) => name.startsWith(prefix));
  } catch {
    return [];
  }
}

/** Makes a named namespace; takes away a file of that name that is no namespace. */
export async function createNamespace(name: string): Promise<void> {
  if (namespaceInode(name) !== undefined) return;
  rmSync(namespacePath(name), { force: true });
  await runCommand(["ip", "netns", "add", name]);
}

/** Takes the name away; the kernel destroys the namespace when no process is left in it. */
export async function deleteNamespace(name: string): Promise<void> {
  if (namespaceInode(name) !== undefined) await runCommand(["ip", "netns", "delete", name]);
  else rmSync(namespacePath(name), { force: true });
}

/** A command that runs `argv` in a named namespace. Only the network differs: files and processes are those of the machine. */
export function inNamespace(name: string, argv: readonly string[]): string[] {
  return ["nsenter", `--net=${namespacePath(name)}`, "--", ...argv];
}
