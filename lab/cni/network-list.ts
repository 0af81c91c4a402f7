import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One plugin of a network configuration list; what else it holds is the plugin's. */
export interface PluginConfig {
  readonly type: string;
  /** What the runtime may tell it about the pod, for example `portMappings`. */
  readonly capabilities?: Readonly<Record<string, boolean>>;
  readonly [key: string]: unknown;
}

/** A network configuration list, the file that a container runtime reads. */
export interface NetworkList {
  readonly cniVersion: string;
  readonly name: string;
  readonly plugins: readonly PluginConfig[];
}

/**
 * The network of a node: the first configuration by file name, as container runtimes choose it. Undefined when there is none.
 * Throws when the file is not usable.
 */
export function readNetworkList(directory: string): NetworkList | undefined {
  if (!existsSync(directory)) return undefined;
  const file = readdirSync(directory)
    .filter((name) => name.endsWith(".conflist"))
    .sort()[0];
  if (file === undefined) return undefined;
  const path = join(directory, file);
  let list: NetworkList;
  try {
    list = JSON.parse(readFileSync(path, "utf8")) as NetworkList;
  } catch (cause) {
    throw new Error(`The network configuration ${path} is not JSON`, { cause });
  }
  if (!list.name || !list.cniVersion || !Array.isArray(list.plugins) || list.plugins.length === 0) {
    throw new Error(`The network configuration ${path} lacks a name, a cniVersion or plugins`);
  }
  return list;
}
