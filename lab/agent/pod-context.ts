import type { KubeClient } from "../../src/kube/client.ts";
import type { KubeLog } from "../../src/kube/log.ts";
import type { Pod } from "../../src/kube/resources.ts";
import type { PodFacts } from "./container-spec.ts";
import type { LightNode } from "./light-node.ts";
import type { PodRecord } from "./pod-record.ts";

/** What concerns one pod for as long as this process lives. */
export interface PodMemory {
  /** Failed attempts to make a sandbox in a row, and when the next one may begin (ms, monotonic). */
  sandboxFailures: number;
  nextSandboxAt: number;
  /** Per container: failed runs in a row, and when the next one may begin (ms since 1970, as the ends that it is reckoned from). */
  readonly starts: Map<string, { failures: number; at: number }>;
  /** When SIGKILL follows SIGTERM (ms, monotonic); absent as long as nothing is being ended. */
  killAt?: number;
  /** Ids of containers that got SIGTERM. */
  readonly terminated: Set<string>;
  /** The status that was written last, as JSON. */
  written?: string;
  /** Ends an ADD that is under way, because the pod is to go. */
  attaching?: AbortController;
}

/** What the parts of a light node share. */
export interface PodDeps {
  readonly client: KubeClient;
  readonly log: KubeLog;
  readonly apiService: PodFacts["apiService"];
  /** Puts a pod, by UID, back into the queue. */
  readonly wake: (uid: string) => void;
  readonly tell: (pod: Pod, event: { type: "Normal" | "Warning"; reason: string; message: string }) => void;
}

/** One pod of one node. */
export interface PodContext {
  readonly record: PodRecord;
  readonly memory: PodMemory;
  readonly node: LightNode;
}

export function newPodMemory(): PodMemory {
  return { sandboxFailures: 0, nextSandboxAt: 0, starts: new Map(), terminated: new Set() };
}
