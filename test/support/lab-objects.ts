/** Objects of the tests in the lab, as users write them. */

/** One subnet, in one family or both. */
export interface Subnet {
  readonly ipv4?: string;
  readonly ipv6?: string;
}

export function addressPool(name: string, blockSizeBits: number, ...subnets: Subnet[]): object {
  return { apiVersion: "coil.cybozu.com/v2", kind: "AddressPool", metadata: { name }, spec: { blockSizeBits, subnets } };
}

/** A namespace whose pods get addresses from `pool`; from the default pool if absent. */
export function namespace(name: string, pool?: string): object {
  const annotations = pool === undefined ? {} : { "coil.cybozu.com/pool": pool };
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, annotations } };
}

export interface PodOptions {
  /** The node to run on; the scheduler's choice if absent. */
  readonly node?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly hostNetwork?: boolean;
}

/** Pods that wait, or do what `command` says. */
export function deployment(inNamespace: string, name: string, replicas: number, options: PodOptions = {}): object {
  const labels = { app: name };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: inNamespace },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels, annotations: options.annotations ?? {} }, spec: podSpec(options) },
    },
  };
}

export function pod(inNamespace: string, name: string, options: PodOptions = {}): object {
  const metadata = { name, namespace: inNamespace, labels: { app: name }, annotations: options.annotations ?? {} };
  return { apiVersion: "v1", kind: "Pod", metadata, spec: podSpec(options) };
}

/** A Service of the pods with label `app`, in all families that the cluster has. */
export function service(inNamespace: string, app: string, port: number): object {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: app, namespace: inNamespace },
    spec: { selector: { app }, ports: [{ port: 80, targetPort: port }], ipFamilyPolicy: "PreferDualStack" },
  };
}

function podSpec({ node, command = ["sleep", "infinity"], hostNetwork = false }: PodOptions): object {
  return {
    terminationGracePeriodSeconds: 2,
    ...(hostNetwork && { hostNetwork }),
    ...(node !== undefined && { nodeSelector: { "kubernetes.io/hostname": node } }),
    containers: [{ name: "main", image: "none", command }],
  };
}
