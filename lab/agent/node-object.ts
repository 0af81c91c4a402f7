import { arch, cpus, release, totalmem } from "node:os";
import type { NodeCondition } from "kubernetes-types/core/v1.js";
import type { Node } from "../../src/kube/resources.ts";
import { VERSION } from "../../src/observe/version.ts";
import type { LabNode } from "../cluster/plan.ts";
import { KUBELET_PORT } from "./log-server.ts";

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };
/** More than a kubelet's 110, because a light pod costs little. */
const MAX_PODS = "1000";

/** A node as it registers. The control plane's takes pods as well: a lab of three nodes runs pods on three. */
export function nodeObject({ name, controlPlane }: LabNode): Node {
  const architecture = ARCHITECTURES[arch()] ?? arch();
  return {
    metadata: {
      name,
      labels: {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": architecture,
        ...(controlPlane && { "node-role.kubernetes.io/control-plane": "" }),
      },
    },
  };
}

/** The status of a node. `problem` is why it cannot take pods, undefined when it can; `kubelet` the address of its server. */
export function nodeStatus(
  node: LabNode,
  present: Node | undefined,
  { problem, now, kubelet }: { problem: string | undefined; now: string; kubelet: string },
) {
  const capacity = { cpu: String(cpus().length), memory: `${Math.floor(totalmem() / 1024)}Ki`, pods: MAX_PODS };
  const before = present?.status?.conditions ?? [];
  const fine = (type: string, reason: string) => ({ type, status: "False", reason, message: "light nodes do not look at it" });
  const conditions = [
    fine("MemoryPressure", "KubeletHasSufficientMemory"),
    fine("DiskPressure", "KubeletHasNoDiskPressure"),
    fine("PIDPressure", "KubeletHasSufficientPID"),
    problem === undefined
      ? { type: "Ready", status: "True", reason: "KubeletReady", message: "the light node takes pods" }
      : { type: "Ready", status: "False", reason: "KubeletNotReady", message: `container runtime network not ready: ${problem}` },
  ].map((wanted) => withTimes(before, now, wanted));
  return {
    capacity,
    allocatable: capacity,
    addresses: [
      ...node.addresses.map((address) => ({ type: "InternalIP", address })),
      { type: "Hostname", address: node.name },
      // Not shown to people: where the API server asks for logs, which is the agent for all nodes.
      { type: "InternalDNS", address: kubelet },
    ],
    conditions: [...before.filter(({ type }) => !conditions.some((own) => own.type === type)), ...conditions],
    daemonEndpoints: { kubeletEndpoint: { Port: KUBELET_PORT } },
    nodeInfo: {
      machineID: node.name,
      systemUUID: node.name,
      bootID: "",
      kernelVersion: release(),
      osImage: "coil-lab light node",
      containerRuntimeVersion: `coil-lab://${VERSION}`,
      kubeletVersion: `v${VERSION}+coil-lab`,
      kubeProxyVersion: "",
      operatingSystem: "linux",
      architecture: ARCHITECTURES[arch()] ?? arch(),
    },
  };
}

function withTimes(
  before: readonly NodeCondition[],
  now: string,
  wanted: Pick<NodeCondition, "type" | "status"> & { reason: string; message: string },
): NodeCondition {
  const earlier = before.find(({ type }) => type === wanted.type);
  const lastTransitionTime = earlier?.status === wanted.status ? (earlier.lastTransitionTime ?? now) : now;
  return { ...wanted, lastHeartbeatTime: now, lastTransitionTime };
}
