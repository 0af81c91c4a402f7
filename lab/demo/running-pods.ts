import type { Pod } from "../../src/kube/resources.ts";
import { readPodRecords } from "../agent/pod-record.ts";
import type { Kubectl } from "../cluster/kubectl.ts";

/** A pod that runs, as tables and checks need it. */
export interface RunningPod {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  /** Its network namespace on this machine. */
  readonly netns: string;
  /** IPv4 first. */
  readonly addresses: readonly string[];
}

/** The pods that run in a namespace, by node and name. Those on their node's network are left out. */
export async function runningPods(kubectl: Kubectl, namespace: string): Promise<RunningPod[]> {
  const pods = await kubectl.list<Pod>("pods", "-n", namespace);
  const records = new Map(readPodRecords().map((record) => [record.uid, record]));
  return pods
    .flatMap(({ metadata, spec, status }): RunningPod[] => {
      const record = records.get(metadata.uid ?? "");
      if (status?.phase !== "Running" || metadata.deletionTimestamp || !record?.sandbox) return [];
      return [
        {
          namespace,
          name: metadata.name,
          node: spec?.nodeName ?? "",
          netns: record.sandbox.namespace,
          addresses: (status.podIPs ?? [])
            .map(({ ip }) => ip ?? "")
            .toSorted((a, b) => Number(a.includes(":")) - Number(b.includes(":"))),
        },
      ];
    })
    .toSorted((a, b) => a.node.localeCompare(b.node) || a.name.localeCompare(b.name));
}
