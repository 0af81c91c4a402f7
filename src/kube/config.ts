import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { readKubeconfigFiles } from "./kubeconfig-file.ts";

/** Where the API server is and as whom to speak to it. */
export interface KubeConfig {
  /** `https://host:port`, possibly with a path in front of all API paths. */
  readonly server: string;
  /** Namespace of the kubeconfig's context or of the service account. */
  readonly namespace?: string;
  readonly tls: TlsConfig;
  readonly credentials: CredentialsConfig;
  /** Speak as somebody else, if allowed to (`kubectl --as`). */
  readonly impersonate?: { readonly user: string; readonly groups?: readonly string[] };
}

/** PEM text, except where a path is said. */
export interface TlsConfig {
  readonly ca?: string;
  /** Read when the connection is made for the first time and again when a certificate is not accepted. */
  readonly caFile?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Name to expect in the server's certificate, when it is not the host of the URL. */
  readonly serverName?: string;
  readonly insecure?: boolean;
}

export type CredentialsConfig =
  | { readonly kind: "none" }
  | { readonly kind: "token"; readonly token: string }
  /** The file is read again every minute and when the server no longer accepts the token. */
  | { readonly kind: "token-file"; readonly path: string };

export interface LoadOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Takes precedence over everything else. */
  readonly kubeconfigPath?: string;
  /** Directory of the mounted service account, for tests. */
  readonly serviceAccountDirectory?: string;
}

const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * Finds the configuration where all Kubernetes programs look: the given path, `KUBECONFIG` (several files with colons between),
 * the service account of the pod, `~/.kube/config`. Throws an `Error` that says what is missing or not supported.
 */
export async function loadKubeConfig(options: LoadOptions): Promise<KubeConfig> {
  const { env, kubeconfigPath, serviceAccountDirectory = SERVICE_ACCOUNT } = options;
  if (kubeconfigPath) return readKubeconfigFiles([kubeconfigPath]);
  const listed = (env["KUBECONFIG"] ?? "").split(":").filter((path) => path !== "");
  if (listed.length > 0) return readKubeconfigFiles(listed);
  if (env["KUBERNETES_SERVICE_HOST"]) return inClusterConfig(env, serviceAccountDirectory);
  return readKubeconfigFiles([join(env["HOME"] || homedir(), ".kube", "config")]);
}

async function inClusterConfig(env: LoadOptions["env"], directory: string): Promise<KubeConfig> {
  const host = env["KUBERNETES_SERVICE_HOST"] ?? "";
  const port = env["KUBERNETES_SERVICE_PORT"] || "443";
  const namespace = (await readFile(join(directory, "namespace"), "utf8").catch(() => "")).trim();
  return {
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    ...(namespace !== "" && { namespace }),
    tls: { caFile: join(directory, "ca.crt") },
    credentials: { kind: "token-file", path: join(directory, "token") },
  };
}
