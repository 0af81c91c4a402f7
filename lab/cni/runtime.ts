import { existsSync } from "node:fs";
import { join } from "node:path";
import { executePlugin, PluginError } from "./execute.ts";
import { type NetworkList, type PluginConfig, readNetworkList } from "./network-list.ts";

/** The pod that an attachment is for, as runtimes tell it to plugins. */
export interface CniPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** A port of the machine that leads to the pod, for plugins with the capability `portMappings`. */
export interface PortMapping {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: string;
  readonly hostIP?: string;
}

export interface Attachment {
  readonly containerId: string;
  /** Path of the network namespace. */
  readonly netns: string;
  readonly pod: CniPod;
  readonly portMappings?: readonly PortMapping[];
  /** The result of ADD, which DEL and CHECK get. */
  readonly result?: CniAddResult;
}

/** As far as a runtime uses it. */
export interface CniAddResult {
  readonly ips?: readonly { readonly address: string }[];
  readonly [key: string]: unknown;
}

/** What a container runtime does with the plugins of one node. All calls throw `PluginError`, or `Error` when there is no network. */
export interface CniRuntime {
  add(attachment: Attachment, options: { signal: AbortSignal }): Promise<CniAddResult>;
  /** In reverse order. Nothing to delete is a success. */
  del(attachment: Attachment, options: { signal: AbortSignal }): Promise<void>;
  check(attachment: Attachment, options: { signal: AbortSignal }): Promise<void>;
  /** Why no pod can be attached now; undefined when all is well. */
  problem(options: { signal: AbortSignal }): Promise<string | undefined>;
  /** Everything but these attachments may be cleaned up. */
  collectGarbage(valid: readonly { containerId: string }[], options: { signal: AbortSignal }): Promise<void>;
}

export interface CniRuntimeOptions {
  /** Name of the node, whose network namespace plugins run in. */
  readonly node: string;
  readonly configDirectory: string;
  readonly binaryDirectories: readonly string[];
}

const IFNAME = "eth0";

export function createCniRuntime({ node, configDirectory, binaryDirectories }: CniRuntimeOptions): CniRuntime {
  const network = (): NetworkList => {
    const list = readNetworkList(configDirectory);
    if (!list) throw new Error(`No network configuration in ${configDirectory}`);
    return list;
  };

  const execute = (
    list: NetworkList,
    plugin: PluginConfig,
    command: string,
    { env = {}, extra = {}, signal }: { env?: Record<string, string>; extra?: object; signal: AbortSignal },
  ) => {
    const { capabilities: _, ...own } = plugin;
    const path = binaryDirectories.map((directory) => join(directory, plugin.type)).find((file) => existsSync(file));
    if (path === undefined)
      throw new PluginError(plugin.type, command, { code: 999, msg: `not found in ${binaryDirectories.join(":")}` });
    return executePlugin({
      path,
      type: plugin.type,
      command,
      node,
      env: { ...env, CNI_PATH: binaryDirectories.join(":") },
      config: { ...own, ...extra, name: list.name, cniVersion: list.cniVersion },
      signal,
    });
  };

  const forPod = (attachment: Attachment, plugin: PluginConfig, prevResult: CniAddResult | undefined) => ({
    env: attachmentEnv(attachment),
    extra: {
      ...(prevResult && { prevResult }),
      ...(plugin.capabilities?.["portMappings"] && { runtimeConfig: { portMappings: attachment.portMappings ?? [] } }),
    },
  });

  return {
    async add(attachment, { signal }) {
      const list = network();
      let result: CniAddResult | undefined;
      for (const plugin of list.plugins) {
        result = (await execute(list, plugin, "ADD", { ...forPod(attachment, plugin, result), signal })) as CniAddResult;
      }
      return result ?? {};
    },
    async del(attachment, { signal }) {
      const list = network();
      for (const plugin of list.plugins.toReversed()) {
        await execute(list, plugin, "DEL", { ...forPod(attachment, plugin, attachment.result), signal });
      }
    },
    async check(attachment, { signal }) {
      const list = network();
      for (const plugin of list.plugins) {
        await execute(list, plugin, "CHECK", { ...forPod(attachment, plugin, attachment.result), signal });
      }
    },
    async problem({ signal }) {
      try {
        const list = network();
        if (!hasStatusAndGc(list)) return undefined;
        for (const plugin of list.plugins) await execute(list, plugin, "STATUS", { signal });
        return undefined;
      } catch (error) {
        signal.throwIfAborted();
        return (error as Error).message;
      }
    },
    async collectGarbage(valid, { signal }) {
      const list = network();
      if (!hasStatusAndGc(list)) return;
      const attachments = valid.map(({ containerId }) => ({ containerID: containerId, ifname: IFNAME }));
      for (const plugin of list.plugins) {
        await execute(list, plugin, "GC", { extra: { "cni.dev/valid-attachments": attachments }, signal });
      }
    },
  };
}

/** Both came with 1.1.0. */
function hasStatusAndGc({ cniVersion }: NetworkList): boolean {
  const [major = 0, minor = 0] = cniVersion.split(".").map(Number);
  return major > 1 || (major === 1 && minor >= 1);
}

/** As containerd sets them. */
function attachmentEnv({ containerId, netns, pod }: Attachment): Record<string, string> {
  const args = {
    IgnoreUnknown: "1",
    K8S_POD_NAMESPACE: pod.namespace,
    K8S_POD_NAME: pod.name,
    K8S_POD_INFRA_CONTAINER_ID: containerId,
    K8S_POD_UID: pod.uid,
  };
  return {
    CNI_CONTAINERID: containerId,
    CNI_NETNS: netns,
    CNI_IFNAME: IFNAME,
    CNI_ARGS: Object.entries(args)
      .map(([key, value]) => `${key}=${value}`)
      .join(";"),
  };
}
