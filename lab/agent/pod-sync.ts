import { performance } from "node:perf_hooks";
import { isApiError } from "../../src/kube/api-error.ts";
import { type Pod, pods } from "../../src/kube/resources.ts";
import { ContainerConfigError } from "./container-spec.ts";
import type { LightNode } from "./light-node.ts";
import { ensureContainers, killContainers, observeContainers, removeContainers, terminateContainers } from "./pod-containers.ts";
import { newPodMemory, type PodContext, type PodDeps, type PodMemory } from "./pod-context.ts";
import { type PodRecord, removePodRecord, savePodRecord } from "./pod-record.ts";
import { discardSandbox, ensureSandbox, removeDiscarded } from "./pod-sandbox.ts";
import { podAddresses, podStatus, type StatusFacts } from "./pod-status.ts";

export interface PodSyncOptions extends PodDeps {
  readonly podByUid: (uid: string) => Pod | undefined;
  readonly nodes: ReadonlyMap<string, LightNode>;
  /** What earlier processes did, and what this one does. */
  readonly records: Map<string, PodRecord>;
}

/** The work of a kubelet for one pod at a time. */
export interface PodSync {
  /** Brings a pod, by UID, to where the API server wants it. Calls for one UID must not overlap. */
  sync(uid: string, signal: AbortSignal): Promise<{ requeueAfterMs: number } | undefined>;
  /** To be called when a pod changed: one that is to go need not wait for its network. */
  changed(pod: Pod): void;
}

type Outcome = { requeueAfterMs: number } | undefined;

/** Of a pod that is gone from the API already. */
const NO_GRACE_MS = 0;
const REMOVAL_RETRY_MS = 1000;
const DEFAULT_GRACE_S = 30;

export function createPodSync(options: PodSyncOptions): PodSync {
  const { client, nodes, records, podByUid } = options;
  const memories = new Map<string, PodMemory>();

  const contextOf = (uid: string, pod: Pod | undefined): PodContext | undefined => {
    const node = nodes.get(records.get(uid)?.node ?? pod?.spec?.nodeName ?? "");
    const record = records.get(uid) ?? (pod && newRecord(pod));
    if (!record || !node?.active) return undefined;
    records.set(uid, record);
    const memory = memories.get(uid) ?? newPodMemory();
    memories.set(uid, memory);
    return { record, memory, node };
  };

  const forget = (uid: string): void => {
    removePodRecord(uid);
    records.delete(uid);
    memories.delete(uid);
  };

  /** Ends the containers, then the sandbox. `done` when nothing is left. */
  const stop = async (context: PodContext, graceMs: number, signal: AbortSignal): Promise<"done" | Outcome> => {
    observeContainers(context);
    const { memory } = context;
    const now = performance.now();
    memory.killAt = Math.min(memory.killAt ?? Number.POSITIVE_INFINITY, now + graceMs);
    const left = memory.killAt - now;
    if (left <= 0) {
      if (killContainers(context) > 0) return { requeueAfterMs: 50 };
    } else if (terminateContainers(context) > 0) {
      // The end of a container wakes the pod; one whose process is not known yet is looked for again.
      return { requeueAfterMs: Math.min(left, 1000) };
    }
    discardSandbox(context);
    return (await removeDiscarded(context, options, signal)) ? "done" : { requeueAfterMs: REMOVAL_RETRY_MS };
  };

  const report = async (pod: Pod, context: PodContext, facts: Partial<StatusFacts>, signal: AbortSignal): Promise<void> => {
    const { record, memory, node } = context;
    const status = podStatus(pod, {
      record,
      hostIps: node.addresses,
      backingOff: new Set(),
      now: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
      ...facts,
    });
    const body = JSON.stringify(status);
    if (body === memory.written) return;
    const patch = { metadata: { uid: record.uid }, status };
    try {
      await client.patch(pods, record, { type: "merge", body: patch, subresource: "status" }, { signal });
      memory.written = body;
    } catch (error) {
      // The pod is gone, or another one has its name: there is nothing to tell any more.
      if (!isApiError(error, "NotFound", "Conflict")) throw error;
    }
  };

  const remove = async (pod: Pod, context: PodContext, signal: AbortSignal): Promise<Outcome> => {
    const graceS = pod.metadata.deletionGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? DEFAULT_GRACE_S;
    const stopped = await stop(context, graceS * 1000, signal);
    await report(pod, context, {}, signal);
    if (stopped !== "done") return stopped;
    removeContainers(context);
    await client
      .delete(pods, context.record, { uid: context.record.uid, gracePeriodSeconds: 0, signal })
      .catch((error: unknown) => {
        if (!isApiError(error, "Conflict", "NotFound")) throw error;
      });
    forget(context.record.uid);
    return undefined;
  };

  const run = async (pod: Pod, context: PodContext, signal: AbortSignal): Promise<Outcome> => {
    const { record, node } = context;
    const networkWait = await ensureSandbox(pod, context, options, signal);
    observeContainers(context);
    if (networkWait !== undefined) {
      await report(pod, context, {}, signal);
      return { requeueAfterMs: networkWait };
    }
    const podIps = podAddresses({ record, hostIps: node.addresses });
    const facts = { podIps, hostIps: node.addresses, apiService: options.apiService };
    try {
      const wait = ensureContainers(pod, context, options, facts);
      const backingOff = wait === undefined ? new Set<string>() : endedContainers(context);
      await report(pod, context, { backingOff }, signal);
      return wait === undefined ? undefined : { requeueAfterMs: wait };
    } catch (error) {
      if (!(error instanceof ContainerConfigError)) throw error;
      options.tell(pod, { type: "Warning", reason: "Failed", message: error.message });
      await report(pod, context, { waiting: { reason: "CreateContainerConfigError", message: error.message } }, signal);
      return undefined;
    }
  };

  return {
    async sync(uid, signal) {
      const pod = podByUid(uid);
      const context = contextOf(uid, pod);
      if (!context) return undefined;
      if (!pod) {
        const stopped = await stop(context, NO_GRACE_MS, signal);
        if (stopped !== "done") return stopped;
        removeContainers(context);
        forget(uid);
        return undefined;
      }
      if (pod.metadata.deletionTimestamp) return remove(pod, context, signal);
      if (isFinished(pod)) return finish(await stop(context, NO_GRACE_MS, signal));
      return run(pod, context, signal);
    },
    changed(pod) {
      if (pod.metadata.deletionTimestamp)
        memories.get(pod.metadata.uid ?? "")?.attaching?.abort(new Error("the pod is being deleted"));
    },
  };
}

function finish(stopped: "done" | Outcome): Outcome {
  return stopped === "done" ? undefined : stopped;
}

function newRecord(pod: Pod): PodRecord {
  const record: PodRecord = {
    uid: pod.metadata.uid ?? "",
    namespace: pod.metadata.namespace ?? "",
    name: pod.metadata.name,
    node: pod.spec?.nodeName ?? "",
    hostNetwork: pod.spec?.hostNetwork ?? false,
    discarded: [],
    containers: {},
  };
  savePodRecord(record);
  return record;
}

function isFinished(pod: Pod): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}

function endedContainers({ record }: PodContext): Set<string> {
  return new Set(Object.entries(record.containers).flatMap(([name, { ended }]) => (ended ? [name] : [])));
}
