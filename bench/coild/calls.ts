import { request } from "node:http";
import type { BenchPod } from "./node.ts";

/** An attachment of a pod: each sandbox has a container of its own. */
export interface Sandbox {
  readonly pod: BenchPod;
  readonly containerId: string;
}

let serial = 0;

/** A new sandbox for a pod. */
export function sandboxOf(pod: BenchPod): Sandbox {
  return { pod, containerId: `sandbox-${serial++}` };
}

/** Calls coild as the plugin does. Gives the milliseconds until the answer; rejects when it is no success. */
export function callCoild(socketPath: string, command: "add" | "del", { pod, containerId }: Sandbox): Promise<number> {
  const args = { K8S_POD_NAMESPACE: pod.namespace, K8S_POD_NAME: pod.name, K8S_POD_UID: pod.uid };
  const config = { cniVersion: "1.1.0", name: "k8s-pod-network", type: "coil" };
  const body = JSON.stringify({ config, containerId, ifname: "eth0", netns: pod.netns, args });
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method: "POST", path: `/v1/${command}`, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("error", reject).on("end", () => {
        if (response.statusCode === 200) resolve(performance.now() - started);
        else reject(new Error(`coild refused ${command} of ${pod.namespace}/${pod.name}: ${text}`));
      });
    });
    outgoing.on("error", reject).end(body);
  });
}

/** The environment of the executable plugin for the same call. */
export function cniEnvironment(command: "ADD" | "DEL", { pod, containerId }: Sandbox): Record<string, string> {
  const args = `K8S_POD_NAMESPACE=${pod.namespace};K8S_POD_NAME=${pod.name};K8S_POD_UID=${pod.uid}`;
  return {
    ...{ CNI_COMMAND: command, CNI_CONTAINERID: containerId, CNI_NETNS: pod.netns, CNI_IFNAME: "eth0" },
    ...{ CNI_PATH: "/usr/lib/cni", CNI_ARGS: args },
  };
}
