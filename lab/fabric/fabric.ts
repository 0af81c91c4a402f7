import { type ClusterPlan, FABRIC, type FabricPort } from "../cluster/plan.ts";
import { runCommand } from "../machine/command.ts";
import { createNamespace, inNamespace, namespaceInode } from "../machine/namespace.ts";
import { fabricSetup, type NamespaceSetup, outsidePortCommands, portCommands, portSetup } from "./commands.ts";

/** What `ensureFabric` found and did. */
export interface FabricChange {
  /** Namespaces that had to be made: what ran in them before is cut off. */
  readonly made: readonly string[];
}

/** Makes the namespaces and links of a lab, or those that are missing. Throws `CommandError` with what `ip` said. */
export async function ensureFabric(plan: ClusterPlan): Promise<FabricChange> {
  const ports = [...plan.nodePorts, plan.outsidePort];
  const made = [FABRIC, ...ports.map(({ namespace }) => namespace)].filter((name) => namespaceInode(name) === undefined);
  await Promise.all(made.map(createNamespace));
  if (made.includes(FABRIC)) {
    await apply(fabricSetup(plan));
  } else {
    await replaceLostPorts(plan);
  }
  await Promise.all(ports.map((port) => apply(portSetup(port, { forwarding: port !== plan.outsidePort }))));
  return { made };
}

/** Gives a link to each namespace that has none, because it is new or somebody deleted the link. */
async function replaceLostPorts(plan: ClusterPlan): Promise<void> {
  const there = new Set(await linkNames(FABRIC));
  const lost = (port: FabricPort) => !there.has(port.link);
  const commands = plan.nodePorts.filter(lost).flatMap(portCommands);
  if (lost(plan.outsidePort)) commands.push(...outsidePortCommands(plan));
  if (commands.length > 0) await apply({ namespace: FABRIC, sysctls: [], ip: commands });
}

async function linkNames(namespace: string): Promise<string[]> {
  const links = JSON.parse(await runCommand(["ip", "-n", namespace, "-j", "link", "show"])) as { ifname: string }[];
  return links.map(({ ifname }) => ifname);
}

async function apply({ namespace, sysctls, ip }: NamespaceSetup): Promise<void> {
  const writes = sysctls.map(([path, value]) => `[ ! -e /proc/sys/${path} ] || echo ${value} >/proc/sys/${path}`);
  await runCommand(inNamespace(namespace, ["sh", "-ec", writes.join("\n")]));
  await runCommand(["ip", "-n", namespace, "-batch", "-"], { input: `${ip.join("\n")}\n` });
}
