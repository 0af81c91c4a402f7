import { randomBytes } from "node:crypto";
import type { Container } from "kubernetes-types/core/v1.js";
import { backoffMs } from "../../src/kube/backoff.ts";
import type { Pod } from "../../src/kube/resources.ts";
import { signalProcess } from "../machine/process.ts";
import { containerEnd, containerProcess, removeContainerFiles, startContainer } from "./container-process.ts";
import { containerSpec, type PodFacts } from "./container-spec.ts";
import type { PodContext, PodDeps } from "./pod-context.ts";
import { type ContainerRecord, type PodRecord, savePodRecord } from "./pod-record.ts";

const BACKOFF = { baseMs: 1000, maxMs: 30_000, jitter: 0 };
/** A run that was longer begins the back-off anew. */
const STEADY_MS = 60_000;

/** Notes which containers have ended meanwhile. Gives whether any had. */
export function observeContainers({ record }: PodContext): boolean {
  let changed = false;
  for (const [name, container] of Object.entries(record.containers)) {
    if (container.ended) continue;
    const ended = containerEnd(container.id, container.keeper);
    if (!ended) continue;
    record.containers[name] = { ...container, ended };
    changed = true;
  }
  if (changed) savePodRecord(record);
  return changed;
}

/** Starts what should run: init containers one after the other, then the rest. Gives the wait for the next start, in ms, if any waits. */
export function ensureContainers(pod: Pod, context: PodContext, deps: PodDeps, facts: PodFacts): number | undefined {
  for (const container of pod.spec?.initContainers ?? []) {
    const run = context.record.containers[container.name];
    // A sidecar is an init container that goes on.
    if (container.restartPolicy === "Always") {
      if (!run || run.ended) return ensureContainer(pod, container, context, { deps, facts }) ?? 0;
      continue;
    }
    if (run?.ended?.exitCode === 0) continue;
    return run && !run.ended ? undefined : ensureContainer(pod, container, context, { deps, facts });
  }
  const waits = (pod.spec?.containers ?? []).flatMap(
    (container) => ensureContainer(pod, container, context, { deps, facts }) ?? [],
  );
  return waits.length === 0 ? undefined : Math.min(...waits);
}

/** Sends SIGTERM to the containers that run, once to each. Gives how many run. */
export function terminateContainers({ record, memory }: PodContext): number {
  const running = runningContainers(record);
  for (const { id } of running) {
    const own = memory.terminated.has(id) ? undefined : containerProcess(id);
    if (own && signalProcess(own, "SIGTERM")) memory.terminated.add(id);
  }
  return running.length;
}

/** Kills the containers that run. Gives how many there were. */
export function killContainers({ record }: PodContext): number {
  const running = runningContainers(record);
  for (const { id, keeper } of running) {
    const own = containerProcess(id);
    if (own) signalProcess(own, "SIGKILL");
    // On the node's own network nothing else tells the processes of a container from others.
    killGroup(keeper.pid);
  }
  return running.length;
}

/** Forgets the containers of a pod that is gone. */
export function removeContainers({ record }: PodContext): void {
  for (const { id, last } of Object.values(record.containers)) {
    removeContainerFiles(id);
    if (last) removeContainerFiles(last.id);
  }
}

function ensureContainer(
  pod: Pod,
  container: Container,
  context: PodContext,
  { deps, facts }: { deps: PodDeps; facts: PodFacts },
): number | undefined {
  const { record, memory, node } = context;
  const before = record.containers[container.name];
  if (before && !before.ended) return undefined;
  if (before?.ended && !restarts(pod, container, before.ended.exitCode)) return undefined;
  const start = memory.starts.get(container.name) ?? { failures: 0, at: 0 };
  if (before?.ended && start.at <= Date.parse(before.ended.at)) {
    const ranMs = Date.parse(before.ended.at) - Date.parse(before.startedAt);
    const failures = ranMs > STEADY_MS ? 1 : start.failures + 1;
    memory.starts.set(container.name, { failures, at: Date.parse(before.ended.at) + backoffMs(BACKOFF, failures) });
  }
  const wait = (memory.starts.get(container.name)?.at ?? 0) - Date.now();
  if (wait > 0) return wait;

  const id = randomBytes(32).toString("hex");
  const spec = containerSpec(pod, container, facts);
  if (spec.pause && !before) {
    const message = `Container ${container.name} names no command and only waits: light nodes pull no images (${container.image ?? ""})`;
    deps.tell(pod, { type: "Normal", reason: "NoCommand", message });
  }
  const keeper = startContainer({
    id,
    namespace: record.hostNetwork ? node.name : (record.sandbox?.namespace ?? ""),
    ...(!record.hostNetwork && { hostname: pod.spec?.hostname ?? pod.metadata.name }),
    spec,
    onEnd: () => deps.wake(record.uid),
  });
  if (before?.last) removeContainerFiles(before.last.id);
  record.containers[container.name] = {
    id,
    keeper,
    startedAt: new Date().toISOString(),
    restarts: before ? before.restarts + 1 : 0,
    ...(before?.ended && { last: { ...before.ended, id: before.id, startedAt: before.startedAt } }),
  } satisfies ContainerRecord;
  savePodRecord(record);
  return undefined;
}

function runningContainers(record: PodRecord): ContainerRecord[] {
  return Object.values(record.containers).filter((container) => !container.ended);
}

function restarts(pod: Pod, container: Container, exitCode: number): boolean {
  const policy = container.restartPolicy ?? pod.spec?.restartPolicy ?? "Always";
  const isInit = pod.spec?.initContainers?.some(({ name }) => name === container.name) ?? false;
  if (policy === "Always") return !isInit || exitCode !== 0 || container.restartPolicy === "Always";
  return policy === "OnFailure" && exitCode !== 0;
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // Nobody is left in it.
  }
}
