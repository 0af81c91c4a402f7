import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readJson, writeWhole } from "../cluster/files.ts";
import { PODS_DIRECTORY } from "../cluster/layout.ts";
import type { CniAddResult, PortMapping } from "../cni/runtime.ts";
import type { ProcessIdentity } from "../machine/process.ts";

/** A pod's network namespace and its attachment to the network. */
export interface SandboxRecord {
  /** 64 hexadecimal digits, as container runtimes name them. */
  readonly id: string;
  /** Name of the network namespace. */
  readonly namespace: string;
  /** The node's namespace at that time, by its identity: when the node got another one, the pod's network is cut off. */
  readonly nodeNamespace: string;
  readonly portMappings: readonly PortMapping[];
  /** What ADD answered; absent as long as it has not. */
  readonly result?: CniAddResult;
}

/** A container's present or last run. */
export interface ContainerRecord {
  readonly id: string;
  /** The process that waits for the container's. */
  readonly keeper: ProcessIdentity;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly restarts: number;
  readonly ended?: ContainerEnd;
  /** How the run before this one ended. */
  readonly last?: ContainerEnd & { readonly id: string; readonly startedAt: string };
}

export interface ContainerEnd {
  readonly exitCode: number;
  /** RFC 3339. */
  readonly at: string;
  readonly message?: string;
}

/** Everything that a light node did for a pod. On disk before it is done, so that nothing is forgotten when the agent dies. */
export interface PodRecord {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly hostNetwork: boolean;
  sandbox?: SandboxRecord;
  /** Earlier sandboxes whose removal did not succeed yet. */
  discarded: SandboxRecord[];
  containers: Record<string, ContainerRecord>;
}

/** Reads all records. */
export function readPodRecords(): PodRecord[] {
  let files: string[];
  try {
    files = readdirSync(PODS_DIRECTORY);
  } catch {
    return [];
  }
  return files.filter((file) => file.endsWith(".json")).flatMap((file) => readJson<PodRecord>(join(PODS_DIRECTORY, file)) ?? []);
}

/** The record of a pod by name; the one with a sandbox when an old one is still being removed. */
export function findPodRecord(namespace: string, name: string): PodRecord | undefined {
  const matching = readPodRecords().filter((record) => record.namespace === namespace && record.name === name);
  return matching.find((record) => record.sandbox?.result) ?? matching[0];
}

export function savePodRecord(record: PodRecord): void {
  writeWhole(recordPath(record.uid), `${JSON.stringify(record, undefined, 2)}\n`);
}

export function removePodRecord(uid: string): void {
  rmSync(recordPath(uid), { force: true });
}

function recordPath(uid: string): string {
  return join(PODS_DIRECTORY, `${uid}.json`);
}
