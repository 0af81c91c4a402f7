import type { ContainerState, ContainerStatus, PodCondition, PodStatus } from "kubernetes-types/core/v1.js";
import type { Pod } from "../../src/kube/resources.ts";
import type { ContainerEnd, ContainerRecord, PodRecord } from "./pod-record.ts";

export interface StatusFacts {
  readonly record: PodRecord | undefined;
  /** Of the node, primary first. */
  readonly hostIps: readonly string[];
  /** Why the pod waits, for containers that have not started: `ContainerCreating` if absent. */
  readonly waiting?: { readonly reason: string; readonly message: string };
  /** Names of containers that wait for their next start after they failed. */
  readonly backingOff: ReadonlySet<string>;
  /** RFC 3339. */
  readonly now: string;
}

/** The addresses of a pod: its own, or the node's on the node's network. */
export function podAddresses({ record, hostIps }: Pick<StatusFacts, "record" | "hostIps">): readonly string[] {
  if (record?.hostNetwork) return hostIps;
  return (record?.sandbox?.result?.ips ?? []).map(({ address }) => address.split("/")[0] ?? "");
}

/** The whole status of a pod as its node sees it. Conditions that others own are kept. */
export function podStatus(pod: Pod, facts: StatusFacts): PodStatus {
  const { record, hostIps, now } = facts;
  const addresses = podAddresses(facts);
  const status = (name: string, image: string | undefined) => containerStatus(facts, name, image ?? "");
  const containers = (pod.spec?.containers ?? []).map(({ name, image }) => status(name, image));
  const initContainers = (pod.spec?.initContainers ?? []).map(({ name, image }) => status(name, image));
  const phase = phaseOf(pod, containers, record);
  const ended = phase === "Succeeded" || phase === "Failed";
  const ready = !ended && !pod.metadata.deletionTimestamp && containers.length > 0 && containers.every((each) => each.ready);
  const networked = record !== undefined && (record.hostNetwork || record.sandbox?.result !== undefined) && !ended;
  const initialized = initContainers.every(({ state }) => state?.terminated?.exitCode === 0);
  const why = ended ? "PodCompleted" : "ContainersNotReady";
  return {
    phase,
    startTime: pod.status?.startTime ?? now,
    hostIP: hostIps[0] ?? "",
    hostIPs: hostIps.map((ip) => ({ ip })),
    ...(addresses.length > 0 && { podIP: addresses[0] ?? "", podIPs: addresses.map((ip) => ({ ip })) }),
    containerStatuses: containers,
    ...(initContainers.length > 0 && { initContainerStatuses: initContainers }),
    conditions: withConditions(pod.status?.conditions ?? [], now, [
      ["PodReadyToStartContainers", networked, ""],
      ["Initialized", initialized, "ContainersNotInitialized"],
      ["ContainersReady", ready, why],
      ["Ready", ready, why],
    ]),
    qosClass: pod.status?.qosClass ?? "BestEffort",
  };
}

function phaseOf(pod: Pod, containers: readonly ContainerStatus[], record: PodRecord | undefined): string {
  const ends = containers.map(({ state }) => state?.terminated);
  const policy = pod.spec?.restartPolicy ?? "Always";
  const deleted = pod.metadata.deletionTimestamp !== undefined;
  const final = (end: (typeof ends)[number]) =>
    end !== undefined && (deleted || policy === "Never" || (policy === "OnFailure" && end.exitCode === 0));
  const init = Object.values(initEnds(pod, record));
  if (policy === "Never" && init.some((end) => end.exitCode !== 0)) return "Failed";
  if (ends.length > 0 && ends.every(final)) return ends.every((end) => end?.exitCode === 0) ? "Succeeded" : "Failed";
  return containers.some(({ state, lastState }) => state?.running ?? state?.terminated ?? lastState?.terminated)
    ? "Running"
    : "Pending";
}

function initEnds(pod: Pod, record: PodRecord | undefined): Record<string, ContainerEnd> {
  const names = (pod.spec?.initContainers ?? []).map(({ name }) => name);
  return Object.fromEntries(
    names.flatMap((name) => {
      const end = record?.containers[name]?.ended;
      return end ? [[name, end]] : [];
    }),
  );
}

function containerStatus(facts: StatusFacts, name: string, image: string): ContainerStatus {
  const container = facts.record?.containers[name];
  const running = container !== undefined && !container.ended;
  return {
    name,
    image,
    imageID: "",
    ready: running,
    started: running,
    restartCount: container?.restarts ?? 0,
    state: stateOf(facts, name, container),
    lastState: lastStateOf(facts, name, container),
    ...(container && { containerID: containerUri(container.id) }),
  };
}

function stateOf({ waiting, backingOff }: StatusFacts, name: string, container: ContainerRecord | undefined): ContainerState {
  if (!container) return { waiting: waiting ?? { reason: "ContainerCreating" } };
  if (!container.ended) return { running: { startedAt: container.startedAt } };
  if (backingOff.has(name))
    return { waiting: { reason: "CrashLoopBackOff", message: "waiting for the next start of the container" } };
  return terminated(container.id, container.startedAt, container.ended);
}

function lastStateOf({ backingOff }: StatusFacts, name: string, container: ContainerRecord | undefined): ContainerState {
  if (container?.ended && backingOff.has(name)) return terminated(container.id, container.startedAt, container.ended);
  return container?.last ? terminated(container.last.id, container.last.startedAt, container.last) : {};
}

function terminated(id: string, startedAt: string, { exitCode, at, message }: ContainerEnd): ContainerState {
  const reason = exitCode === 0 ? "Completed" : exitCode === 126 || exitCode === 127 ? "StartError" : "Error";
  return {
    terminated: { containerID: containerUri(id), exitCode, startedAt, finishedAt: at, reason, ...(message && { message }) },
  };
}

function containerUri(id: string): string {
  return `coil-lab://${id}`;
}

/** Sets conditions; the time of a condition changes only when its status does. */
function withConditions(
  present: readonly PodCondition[],
  now: string,
  wanted: readonly (readonly [type: string, status: boolean, reason: string])[],
): PodCondition[] {
  const own = new Set(wanted.map(([type]) => type));
  const set = wanted.map(([type, isTrue, reason]): PodCondition => {
    const status = isTrue ? "True" : "False";
    const before = present.find((condition) => condition.type === type);
    const lastTransitionTime = before?.status === status ? (before.lastTransitionTime ?? now) : now;
    return { type, status, lastTransitionTime, ...(!isTrue && reason !== "" && { reason }) };
  });
  return [...present.filter(({ type }) => !own.has(type)), ...set];
}
