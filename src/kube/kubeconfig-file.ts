import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { CredentialsConfig, KubeConfig, TlsConfig } from "./config.ts";

interface Named {
  readonly name: string;
}
interface ClusterEntry extends Named {
  readonly cluster: Readonly<Record<string, unknown>>;
}
interface UserEntry extends Named {
  readonly user: Readonly<Record<string, unknown>>;
}
interface ContextEntry extends Named {
  readonly context: { readonly cluster: string; readonly user?: string; readonly namespace?: string };
}
interface KubeconfigFile {
  readonly "current-context"?: string;
  readonly clusters?: readonly ClusterEntry[] | null;
  readonly users?: readonly UserEntry[] | null;
  readonly contexts?: readonly ContextEntry[] | null;
}
interface Sourced {
  readonly path: string;
  readonly file: KubeconfigFile;
}

/** Reads kubeconfig files and merges them as kubectl does: the first that defines a name wins. Throws an `Error` naming the file. */
export async function readKubeconfigFiles(paths: readonly string[]): Promise<KubeConfig> {
  const { parse } = await import("yaml");
  const files: Sourced[] = [];
  for (const path of paths) {
    const text = await readFile(path, "utf8").catch((cause: unknown) => {
      if (paths.length > 1 && (cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw new Error(`Cannot read the kubeconfig ${path}`, { cause });
    });
    if (text !== undefined) files.push({ path, file: parseFile(path, text, parse) });
  }
  const named = files.map(({ file }) => file["current-context"]).find((context) => context);
  if (!named) throw new Error(`No current-context in the kubeconfig ${paths.join(":")}`);
  const { context } = find(files, "contexts", named).entry;
  const cluster = find(files, "clusters", context.cluster);
  const user = context.user ? find(files, "users", context.user) : undefined;
  return configOf(
    context.namespace,
    fieldsOf(cluster.entry.cluster, cluster.path),
    fieldsOf(user?.entry.user ?? {}, user?.path ?? ""),
  );
}

function parseFile(path: string, text: string, parse: (text: string) => unknown): KubeconfigFile {
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    throw new Error(`The kubeconfig ${path} is not YAML`, { cause });
  }
  if (typeof value !== "object" || value === null) throw new Error(`The kubeconfig ${path} is empty`);
  return value;
}

function find<L extends "clusters" | "users" | "contexts">(files: readonly Sourced[], list: L, name: string) {
  type Entry = NonNullable<NonNullable<KubeconfigFile[L]>[number]>;
  for (const { path, file } of files) {
    const entry = (file[list] ?? []).find((candidate) => candidate.name === name);
    if (entry) return { path, entry: entry as Entry };
  }
  throw new Error(
    `No entry ${JSON.stringify(name)} among the ${list} of the kubeconfig ${files.map(({ path }) => path).join(":")}`,
  );
}

type Fields = ReturnType<typeof fieldsOf>;

/** Access to fields by name; a `x` that may also be given as file is looked up as `x-data` (base64) first, paths relative to the file. */
function fieldsOf(values: Readonly<Record<string, unknown>>, path: string) {
  const text = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const located = (name: string): string | undefined => {
    const value = text(name);
    return value === undefined ? undefined : resolve(dirname(path), value);
  };
  return {
    path,
    values,
    text,
    located,
    async pem(name: string): Promise<string | undefined> {
      const data = text(`${name}-data`);
      if (data !== undefined) return Buffer.from(data, "base64").toString("utf8");
      const file = located(name);
      return file === undefined ? undefined : readFile(file, "utf8");
    },
  };
}

async function configOf(namespace: string | undefined, cluster: Fields, user: Fields): Promise<KubeConfig> {
  const server = cluster.text("server");
  if (server === undefined) throw new Error(`The cluster in the kubeconfig ${cluster.path} has no server`);
  if (cluster.text("proxy-url")) throw new Error(`proxy-url in the kubeconfig ${cluster.path} is not supported`);
  const groups = user.values["as-groups"];
  const impersonated = user.text("as");
  return {
    server: server.replace(/\/+$/, ""),
    ...(namespace && { namespace }),
    tls: await tlsOf(cluster, user),
    credentials: credentialsOf(user),
    ...(impersonated && { impersonate: { user: impersonated, groups: Array.isArray(groups) ? groups.map(String) : [] } }),
  };
}

async function tlsOf(cluster: Fields, user: Fields): Promise<TlsConfig> {
  const caFile = cluster.text("certificate-authority-data") ? undefined : cluster.located("certificate-authority");
  const ca = caFile === undefined ? await cluster.pem("certificate-authority") : undefined;
  const [cert, key, serverName] = [
    await user.pem("client-certificate"),
    await user.pem("client-key"),
    cluster.text("tls-server-name"),
  ];
  return {
    ...(ca && { ca }),
    ...(caFile && { caFile }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(serverName && { serverName }),
    ...(cluster.values["insecure-skip-tls-verify"] === true && { insecure: true }),
  };
}

function credentialsOf(user: Fields): CredentialsConfig {
  for (const unsupported of ["exec", "auth-provider", "username"]) {
    if (!user.values[unsupported]) continue;
    throw new Error(
      `The user in the kubeconfig ${user.path} authenticates by "${unsupported}", which is not supported: use a token or a certificate`,
    );
  }
  // kubectl prefers the file when both are given, since the file is the one that is refreshed.
  const path = user.located("tokenFile");
  if (path !== undefined) return { kind: "token-file", path };
  const token = user.text("token");
  return token === undefined ? { kind: "none" } : { kind: "token", token };
}
