import { performance } from "node:perf_hooks";
import { backoffMs } from "../../src/kube/backoff.ts";
import type { Pod } from "../../src/kube/resources.ts";
import type { PortMapping } from "../cni/runtime.ts";
import type { PodContext, PodDeps } from "./pod-context.ts";
import { type SandboxRecord, savePodRecord } from "./pod-record.ts";
import { isSandboxAlive, makeSandbox, newSandbox, removeSandbox } from "./sandbox.ts";

const BACKOFF = { baseMs: 500, maxMs: 10_000, jitter: 0.2 };

/** `undefined` when the pod has its sandbox; else how long to wait before the next attempt, in ms. */
export async function ensureSandbox(
  pod: Pod,
  context: PodContext,
  deps: PodDeps,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { record, memory, node } = context;
  if (record.hostNetwork) return undefined;
  if (record.sandbox?.result && isSandboxAlive(record.sandbox, node.name)) return undefined;
  if (record.sandbox) discardSandbox(context);
  await removeDiscarded(context, deps, signal);
  const wait = memory.nextSandboxAt - performance.now();
  if (wait > 0) return wait;

  const sandbox = newSandbox(node.name, portMappings(pod));
  record.sandbox = sandbox;
  savePodRecord(record);
  memory.attaching = new AbortController();
  try {
    record.sandbox = await makeSandbox(sandbox, {
      cni: node.cni,
      pod: record,
      signal: AbortSignal.any([signal, memory.attaching.signal]),
    });
    savePodRecord(record);
    memory.sandboxFailures = 0;
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return await sandboxFailed(error as Error, pod, context, { deps, signal });
  } finally {
    delete memory.attaching;
  }
}

/** Sets a sandbox aside; `removeDiscarded` takes it away. */
export function discardSandbox({ record }: PodContext): void {
  if (!record.sandbox) return;
  record.discarded.push(record.sandbox);
  delete record.sandbox;
  savePodRecord(record);
}

/** Removes what was set aside. Gives whether nothing is left; what failed is tried again at the next call. */
export async function removeDiscarded({ record, node }: PodContext, { log }: PodDeps, signal: AbortSignal): Promise<boolean> {
  if (record.discarded.length === 0) return true;
  const left: SandboxRecord[] = [];
  for (const sandbox of record.discarded) {
    try {
      await removeSandbox(sandbox, { cni: node.cni, pod: record, signal });
    } catch (err) {
      signal.throwIfAborted();
      log.warn(
        { err, pod: `${record.namespace}/${record.name}`, container: sandbox.id },
        "cannot remove a pod's sandbox: will try again",
      );
      left.push(sandbox);
    }
  }
  record.discarded = left;
  savePodRecord(record);
  return left.length === 0;
}

async function sandboxFailed(
  error: Error,
  pod: Pod,
  context: PodContext,
  { deps, signal }: { deps: PodDeps; signal: AbortSignal },
): Promise<number> {
  const { record, memory } = context;
  memory.sandboxFailures++;
  const wait = backoffMs(BACKOFF, memory.sandboxFailures);
  memory.nextSandboxAt = performance.now() + wait;
  if (!memory.attaching?.signal.aborted) {
    // Without the id of the sandbox, which is another one at each attempt: so equal events become a count.
    const message = `Failed to create pod sandbox: failed to set up the network: ${error.message}`;
    const title = `${record.namespace}/${record.name}`;
    deps.log.warn(
      { err: error, pod: title, container: record.sandbox?.id, failures: memory.sandboxFailures },
      "cannot make a pod's sandbox",
    );
    deps.tell(pod, { type: "Warning", reason: "FailedCreatePodSandBox", message });
  }
  // As container runtimes do: each attempt has a container id of its own, and a failed one is detached at once.
  discardSandbox(context);
  await removeDiscarded(context, deps, signal);
  return wait;
}

function portMappings(pod: Pod): PortMapping[] {
  const ports = (pod.spec?.containers ?? []).flatMap((container) => container.ports ?? []);
  return ports.flatMap(({ hostPort, containerPort, protocol, hostIP }) =>
    hostPort ? [{ hostPort, containerPort, protocol: (protocol ?? "TCP").toLowerCase(), ...(hostIP && { hostIP }) }] : [],
  );
}
