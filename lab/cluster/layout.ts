import { join } from "node:path";

/** Everything a lab keeps in files. One lab a machine, so the place is fixed. */
export const LAB_DIRECTORY = "/run/coil-lab";

/** Held by the command that changes the lab; beside the directory, because `down` takes that away. */
export const LOCK_FILE = "/run/coil-lab.lock";

/** In the environment of all processes of a lab, so that `down` finds them whatever became of the rest. */
export const PROCESS_MARKER = { name: "COIL_LAB_PROCESS", value: "yes" };

const at = (...parts: string[]) => join(LAB_DIRECTORY, ...parts);

export const LAB_STATE = at("lab.json");
export const AGENT_SOCKET = at("agent.sock");
export const ADMIN_KUBECONFIG = at("credentials", "admin.kubeconfig");
export const CREDENTIALS_DIRECTORY = at("credentials");
export const PODS_DIRECTORY = at("pods");
export const CONTAINERS_DIRECTORY = at("containers");
/** What kubectl remembers of the API: not among the user's own, since each lab has another. */
export const KUBECTL_CACHE = at("kubectl-cache");
export const ETCD_DIRECTORY = at("etcd");
export const CERTIFICATES_DIRECTORY = at("certificates");

export function programRecord(node: string, program: string): string {
  return at("nodes", node, "programs", `${program}.json`);
}

export function programDirectory(node: string): string {
  return at("nodes", node, "programs");
}

export function programLog(node: string, program: string): string {
  return at("nodes", node, "logs", `${program}.log`);
}

/** Where the node's container runtime looks for network configurations. */
export function cniConfigDirectory(node: string): string {
  return at("nodes", node, "cni", "net.d");
}

export function cniBinaryDirectory(node: string): string {
  return at("nodes", node, "cni", "bin");
}

export function coildSocket(node: string): string {
  return at("nodes", node, "coild.sock");
}

/** Credentials of a program as its ServiceAccount. */
export function programKubeconfig(node: string, program: string): string {
  return at("nodes", node, "credentials", `${program}.kubeconfig`);
}

export function programToken(node: string, program: string): string {
  return at("nodes", node, "credentials", `${program}.token`);
}

/** There as long as the node's kubelet is stopped. */
export function kubeletStopped(node: string): string {
  return at("nodes", node, "kubelet-stopped");
}
