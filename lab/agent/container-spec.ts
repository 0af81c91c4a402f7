import type { Container, EnvVar } from "kubernetes-types/core/v1.js";
import type { Pod } from "../../src/kube/resources.ts";

/** How a container's process is started. */
export interface ContainerSpec {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** The container names no command: it only waits. */
  readonly pause: boolean;
}

/** What a container may ask about its pod and its node. */
export interface PodFacts {
  readonly podIps: readonly string[];
  readonly hostIps: readonly string[];
  /** Host and port of the API server's Service. */
  readonly apiService: { readonly host: string; readonly port: number };
}

/** A container that this kind of node cannot start as it is asked to. */
export class ContainerConfigError extends Error {
  override readonly name = "ContainerConfigError";
}

/** There are no images: a container without a command of its own waits until it is ended. */
const PAUSE: readonly string[] = ["sleep", "infinity"];

/** The process of a container. Throws `ContainerConfigError` for what light nodes do not have. */
export function containerSpec(pod: Pod, container: Container, facts: PodFacts): ContainerSpec {
  const env = environment(pod, container, facts);
  const argv = [...(container.command ?? []), ...(container.args ?? [])].map((text) => expand(text, env));
  const pause = argv.length === 0;
  return { argv: pause ? PAUSE : argv, env, cwd: container.workingDir || "/", pause };
}

function environment(pod: Pod, container: Container, facts: PodFacts): Record<string, string> {
  if (container.envFrom?.length)
    throw new ContainerConfigError(`container ${container.name}: light nodes do not support envFrom`);
  const env: Record<string, string> = {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: "/root",
    HOSTNAME: pod.spec?.hostname ?? pod.metadata.name,
    KUBERNETES_SERVICE_HOST: facts.apiService.host,
    KUBERNETES_SERVICE_PORT: String(facts.apiService.port),
  };
  for (const variable of container.env ?? []) env[variable.name] = variableValue(pod, container, variable, { env, facts });
  return env;
}

function variableValue(
  pod: Pod,
  container: Container,
  variable: EnvVar,
  { env, facts }: { env: Record<string, string>; facts: PodFacts },
): string {
  if (!variable.valueFrom) return expand(variable.value ?? "", env);
  const path = variable.valueFrom.fieldRef?.fieldPath;
  const value = path === undefined ? undefined : fieldOf(pod, path, facts);
  if (value !== undefined) return value;
  throw new ContainerConfigError(
    `container ${container.name}: light nodes know env from fieldRef only, and not every field; variable ${variable.name} asks for ${
      path ?? Object.keys(variable.valueFrom).join(", ")
    }`,
  );
}

function fieldOf(pod: Pod, path: string, facts: PodFacts): string | undefined {
  const { metadata, spec } = pod;
  const keyed = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path);
  if (keyed) return metadata[keyed[1] as "labels" | "annotations"]?.[keyed[2] ?? ""] ?? "";
  switch (path) {
    case "metadata.name":
      return metadata.name;
    case "metadata.namespace":
      return metadata.namespace ?? "";
    case "metadata.uid":
      return metadata.uid ?? "";
    case "spec.nodeName":
      return spec?.nodeName ?? "";
    case "spec.serviceAccountName":
      return spec?.serviceAccountName ?? "";
    case "status.podIP":
      return facts.podIps[0] ?? "";
    case "status.podIPs":
      return facts.podIps.join(",");
    case "status.hostIP":
      return facts.hostIps[0] ?? "";
    case "status.hostIPs":
      return facts.hostIps.join(",");
    default:
      return undefined;
  }
}

/** Replaces `$(NAME)` by the variable; `$$` stands for a dollar sign, and unknown names stay as they are, as in Kubernetes. */
function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$(\$|\(([A-Za-z_.-][A-Za-z0-9_.-]*)\))/g, (whole, what: string, name: string) =>
    what === "$" ? "$" : (env[name] ?? whole),
  );
}
