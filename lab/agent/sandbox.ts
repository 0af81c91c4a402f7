import { randomBytes } from "node:crypto";
import type { Attachment, CniPod, CniRuntime, PortMapping } from "../cni/runtime.ts";
import { runCommand } from "../machine/command.ts";
import { createNamespace, deleteNamespace, namespaceIdentity, namespaceInode, namespacePath } from "../machine/namespace.ts";
import { endProcesses, findProcesses } from "../machine/process.ts";
import type { SandboxRecord } from "./pod-record.ts";

/** Names of pods' network namespaces begin with this. */
export const POD_NAMESPACE_PREFIX = "coil-pod-";

/** A sandbox that is to be made. Record it before `makeSandbox`. */
export function newSandbox(node: string, portMappings: readonly PortMapping[]): SandboxRecord {
  const id = randomBytes(32).toString("hex");
  const nodeNamespace = namespaceIdentity(node) ?? "";
  return { id, namespace: `${POD_NAMESPACE_PREFIX}${id.slice(0, 12)}`, nodeNamespace, portMappings };
}

/** Makes the namespace and attaches it to the network. Gives the sandbox with its result; what a failed one left is to be removed. */
export async function makeSandbox(
  sandbox: SandboxRecord,
  { cni, pod, signal }: { cni: CniRuntime; pod: CniPod; signal: AbortSignal },
): Promise<SandboxRecord & { result: NonNullable<SandboxRecord["result"]> }> {
  await createNamespace(sandbox.namespace);
  await runCommand(["ip", "-n", sandbox.namespace, "link", "set", "lo", "up"]);
  return { ...sandbox, result: await cni.add(attachmentOf(sandbox, pod), { signal }) };
}

/** Detaches from the network, ends what still runs in the namespace and removes it. May be repeated until it succeeds. */
export async function removeSandbox(
  sandbox: SandboxRecord,
  { cni, pod, signal }: { cni: CniRuntime; pod: CniPod; signal: AbortSignal },
): Promise<void> {
  await cni.del(attachmentOf(sandbox, pod), { signal });
  const inode = namespaceInode(sandbox.namespace);
  if (inode !== undefined) await endProcesses(findProcesses({ namespaces: new Set([inode]) }), 0);
  await deleteNamespace(sandbox.namespace);
}

/** Whether the namespace is there and belongs to the node as it is now. */
export function isSandboxAlive(sandbox: SandboxRecord, node: string): boolean {
  return namespaceInode(sandbox.namespace) !== undefined && sandbox.nodeNamespace === namespaceIdentity(node);
}

function attachmentOf(sandbox: SandboxRecord, pod: CniPod): Attachment {
  return {
    containerId: sandbox.id,
    netns: namespacePath(sandbox.namespace),
    pod,
    portMappings: sandbox.portMappings,
    ...(sandbox.result && { result: sandbox.result }),
  };
}
