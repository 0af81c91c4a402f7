import { rmSync } from "node:fs";
import { deleteNamespace, listNamespaces, namespaceInode } from "../machine/namespace.ts";
import { endProcesses, findProcesses, type ProcessIdentity } from "../machine/process.ts";
import { LAB_DIRECTORY, PROCESS_MARKER } from "./layout.ts";

/** Names of the lab's network namespaces: those of nodes, pods, the fabric and the outside. */
const NAMESPACE = /^coil-(fabric|outside|control-plane|worker\d*|pod-[0-9a-f]{12})$/;
const ROUNDS = 10;

/** What a sweep took away. */
export interface Swept {
  readonly processes: number;
  readonly namespaces: number;
}

/** Removes everything of a lab, whatever state it is in: processes, namespaces with all that is in them, files. */
export async function sweep(): Promise<Swept> {
  const names = labNamespaces();
  const processes = await killAll(names);
  await Promise.all(names.map(deleteNamespace));
  rmSync(LAB_DIRECTORY, { recursive: true, force: true, maxRetries: 3 });
  return { processes, namespaces: names.length };
}

/** The lab's named network namespaces. */
export function labNamespaces(): string[] {
  return listNamespaces("coil-").filter((name) => NAMESPACE.test(name));
}

/** The lab's processes: by the namespace that they are in, or by the mark that they were started with. */
export function labProcesses(namespaces: readonly string[]): ProcessIdentity[] {
  const inodes = new Set(namespaces.flatMap((name) => namespaceInode(name) ?? []));
  return findProcesses({ namespaces: inodes, environment: `${PROCESS_MARKER.name}=${PROCESS_MARKER.value}` });
}

async function killAll(namespaces: readonly string[]): Promise<number> {
  let killed = 0;
  // Again and again, because one that is about to be killed may start another.
  for (let round = 0; round < ROUNDS; round++) {
    const found = labProcesses(namespaces);
    if (found.length === 0) return killed;
    await endProcesses(found, 0);
    killed += found.length;
  }
  throw new Error("Processes of the lab keep coming back: look for what starts them, with coil-lab status or ps");
}
