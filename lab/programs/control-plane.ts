import { CERTIFICATES_DIRECTORY, ETCD_DIRECTORY } from "../cluster/layout.ts";
import type { ClusterPlan, LabNode } from "../cluster/plan.ts";
import { CERTIFICATE_AUTHORITY, SERVICE_ACCOUNT_KEY, TOKEN_FILE, userKubeconfig } from "./credentials.ts";
import type { Program } from "./program.ts";

const ETCD_CLIENT = "http://127.0.0.1:2379";
const ETCD_PEER = "http://127.0.0.1:2380";

/** How the programs of Kubernetes are started: `binary` holds all of them. */
export function kubernetesPrograms(plan: ClusterPlan, binary: string) {
  const node = controlPlaneNode(plan);
  const program = (name: string, health: string | undefined, flags: readonly string[]): Program => ({
    node: node.name,
    name,
    argv: [binary, name, ...flags],
    env: {},
    ...(health !== undefined && { health: { url: health } }),
  });
  return {
    etcd: program("etcd", undefined, etcdFlags()),
    apiServer: program("kube-apiserver", `${plan.apiServer}/readyz`, apiServerFlags(plan, node)),
    controllerManager: program("kube-controller-manager", nodeUrl(node, 10257, "https"), controllerManagerFlags()),
    scheduler: program("kube-scheduler", nodeUrl(node, 10259, "https"), schedulerFlags()),
    proxies: plan.nodes.map(
      (on): Program => ({
        node: on.name,
        name: "kube-proxy",
        argv: [binary, "kube-proxy", ...proxyFlags(on)],
        env: {},
        health: { url: nodeUrl(on, 10256, "http") },
      }),
    ),
  };
}

/** `http://ADDRESS:PORT/healthz` of a node, by its primary address. */
export function nodeUrl({ addresses }: LabNode, port: number, scheme: "http" | "https", path = "/healthz"): string {
  const address = addresses[0] ?? "";
  return `${scheme}://${address.includes(":") ? `[${address}]` : address}:${port}${path}`;
}

export function controlPlaneNode(plan: ClusterPlan): LabNode {
  const node = plan.nodes.find(({ controlPlane }) => controlPlane);
  if (!node) throw new Error("Unreachable: a lab has a node for the control plane");
  return node;
}

function etcdFlags(): string[] {
  return [
    `--data-dir=${ETCD_DIRECTORY}`,
    // A lab's cluster does not outlive the machine, so it need not wait for its disk.
    "--unsafe-no-fsync",
    `--listen-client-urls=${ETCD_CLIENT}`,
    `--advertise-client-urls=${ETCD_CLIENT}`,
    `--listen-peer-urls=${ETCD_PEER}`,
    `--initial-advertise-peer-urls=${ETCD_PEER}`,
    `--initial-cluster=default=${ETCD_PEER}`,
    "--log-level=warn",
  ];
}

function apiServerFlags(plan: ClusterPlan, node: LabNode): string[] {
  return [
    `--etcd-servers=${ETCD_CLIENT}`,
    `--advertise-address=${node.addresses[0]}`,
    "--bind-address=::",
    "--secure-port=6443",
    // It signs a certificate of its own there when there is none.
    `--cert-dir=${CERTIFICATES_DIRECTORY}`,
    `--service-cluster-ip-range=${plan.serviceRanges.join(",")}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${SERVICE_ACCOUNT_KEY}`,
    `--service-account-signing-key-file=${SERVICE_ACCOUNT_KEY}`,
    `--token-auth-file=${TOKEN_FILE}`,
    "--authorization-mode=RBAC",
    "--allow-privileged=true",
    // Light nodes name the lab's agent there.
    "--kubelet-preferred-address-types=InternalDNS,InternalIP",
    "--profiling=false",
  ];
}

function controllerManagerFlags(): string[] {
  return [
    `--kubeconfig=${userKubeconfig("kube-controller-manager")}`,
    "--leader-elect=false",
    `--service-account-private-key-file=${SERVICE_ACCOUNT_KEY}`,
    `--root-ca-file=${CERTIFICATE_AUTHORITY}`,
    "--allocate-node-cidrs=false",
    "--bind-address=::",
    // A node that fell silent is seen in seconds, not in a minute.
    "--node-monitor-period=1s",
    "--node-monitor-grace-period=16s",
    "--kube-api-qps=500",
    "--kube-api-burst=1000",
    "--profiling=false",
  ];
}

function schedulerFlags(): string[] {
  return [
    `--kubeconfig=${userKubeconfig("kube-scheduler")}`,
    "--leader-elect=false",
    "--bind-address=::",
    "--kube-api-qps=500",
    "--kube-api-burst=1000",
    "--profiling=false",
  ];
}

function proxyFlags(node: LabNode): string[] {
  const anyAddress = node.addresses[0]?.includes(":") ? "[::]" : "0.0.0.0";
  return [
    `--kubeconfig=${userKubeconfig("kube-proxy")}`,
    `--hostname-override=${node.name}`,
    "--proxy-mode=nftables",
    // The size of the connection table belongs to the machine: a namespace may not set it.
    "--conntrack-max-per-core=0",
    "--conntrack-tcp-timeout-established=0s",
    "--conntrack-tcp-timeout-close-wait=0s",
    `--healthz-bind-address=${anyAddress}:10256`,
    "--metrics-bind-address=127.0.0.1:10249",
  ];
}
