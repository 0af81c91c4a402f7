import { containerProcess } from "../agent/container-process.ts";
import { findPodRecord } from "../agent/pod-record.ts";
import { kubectlEnvironment } from "../cluster/kubectl.ts";
import { requireLab } from "../cluster/ownership.ts";
import { CONTROL_PLANE, OUTSIDE, planCluster } from "../cluster/plan.ts";
import { requireRoot } from "../cluster/preflight.ts";
import { ensureControlPlane } from "../control-plane/build.ts";
import { runInteractive } from "../machine/command.ts";
import { inNamespace } from "../machine/namespace.ts";
import { CHECKOUT } from "./checkout.ts";

/** `coil-lab kubectl`: on the control plane's node, from where the API server can be reached. Gives its exit code. */
export async function kubectl(argv: readonly string[]): Promise<number> {
  requireRoot("enter network namespaces");
  requireLab(CHECKOUT);
  const binary = await ensureControlPlane({ env: process.env });
  const env = { ...process.env, ...kubectlEnvironment() };
  return runInteractive(inNamespace(CONTROL_PLANE, [binary, "kubectl", ...argv]), env);
}

/** `coil-lab exec`. Gives the exit code of the command. */
export async function execInNode(node: string, argv: readonly string[]): Promise<number> {
  requireRoot("enter network namespaces");
  const { nodes } = planCluster(requireLab(CHECKOUT));
  if (!nodes.some(({ name }) => name === node)) {
    throw new Error(`There is no node ${node}; there are ${nodes.map(({ name }) => name).join(", ")}`);
  }
  return runInteractive(inside(node, argv));
}

/** `coil-lab outside`. Gives the exit code of the command. */
export async function execOutside(argv: readonly string[]): Promise<number> {
  requireRoot("enter network namespaces");
  requireLab(CHECKOUT);
  return runInteractive(inside(OUTSIDE, argv));
}

/** `coil-lab pod-exec`: in the network and with the host name of a pod, with this machine's files. Gives the exit code. */
export async function execInPod(namespace: string, name: string, argv: readonly string[]): Promise<number> {
  requireRoot("enter network namespaces");
  requireLab(CHECKOUT);
  const record = findPodRecord(namespace, name);
  if (!record)
    throw new Error(`No node runs a pod ${namespace}/${name}; coil-lab kubectl -- get pods -A shows those that there are`);
  if (record.hostNetwork) return runInteractive(inside(record.node, argv));
  if (!record.sandbox?.result) throw new Error(`The pod ${namespace}/${name} has no network yet`);
  const container = Object.values(record.containers).find(({ ended }) => !ended);
  const own = container && containerProcess(container.id);
  const named = own ? ["nsenter", `--uts=/proc/${own.pid}/ns/uts`, "--", ...argv] : argv;
  return runInteractive(inside(record.sandbox.namespace, named));
}

/** With a /sys of that network, which `nsenter` alone does not give. */
function inside(namespace: string, argv: readonly string[]): string[] {
  return ["ip", "netns", "exec", namespace, ...argv];
}
