import { type ClusterPlan, FABRIC } from "../cluster/plan.ts";
import { runCommand } from "../machine/command.ts";
import { createNamespace, inNamespace, namespaceInode } from "../machine/namespace.ts";
import { fabricSetup, type NamespaceSetup, outsidePortCommands, portCommands, portSetup } from "./commands.ts";

/** Makes the namespaces and links of a lab, or those that are missing. Throws `CommandError` with what `ip` said. */
export async function ensureFabric(plan: ClusterPlan): Promise<void> {
  const ports = [...plan.nodePorts, plan.outsidePort];
  const made = [FABRIC, ...ports.map(({ namespace }) => namespace)].filter((name) => namespaceInode(name) === undefined);
  await Promise.all(made.map(createNamespace));
  if (made.includes(FABRIC)) {
    await apply(fabricSetup(plan));
  } else {
    await replaceLostPorts(plan);
  }
  await Promise.all(ports.map((port) => apply(portSetup(port, { forwarding: port !== plan.outsidePort }))));
}

/** Gives a link to each namespace that has none, because it is new or somebody deleted the link. */
async function replaceLostPorts(plan: ClusterPlan): Promise<void> {
  const ports = [...plan.nodePorts, plan.outsidePort];
  const there = new Set(await linkNames(FABRIC));
  const connected = await Promise.all(ports.map(async ({ namespace }) => (await linkNames(namespace)).includes("eth0")));
  const lost = ports.filter(({ link }, i) => !there.has(link) || !connected[i]);
  // Processes may keep the namespace of before, without its name, and with it the other end of a link.
  const stale = lost.filter(({ link }) => there.has(link)).map(({ link }) => `link delete ${link}`);
  const fresh = lost.flatMap((port) => (port === plan.outsidePort ? outsidePortCommands(plan) : portCommands(port)));
  if (lost.length > 0) await apply({ namespace: FABRIC, sysctls: [], ip: [...stale, ...fresh] });
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
