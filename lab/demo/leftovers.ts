import type { KubeObject } from "../../src/kube/object.ts";
import { readPodRecords } from "../agent/pod-record.ts";
import { POD_NAMESPACE_PREFIX } from "../agent/sandbox.ts";
import type { Kubectl } from "../cluster/kubectl.ts";
import type { ClusterPlan } from "../cluster/plan.ts";
import { runCommand } from "../machine/command.ts";
import { listNamespaces } from "../machine/namespace.ts";

/** Links of a node without pods. */
const OWN_LINKS = ["lo", "eth0"];
const TABLES = [116, 119];
const ROUTER_PROTOCOL = 31;

/** What pods, blocks and pools have left behind, in words: blocks and requests, links, routes, network namespaces, records. */
export async function findLeftovers({ nodes }: ClusterPlan, kubectl: Kubectl): Promise<string[]> {
  const objects = await kubectl.list<KubeObject>("addresspools,addressblocks,blockrequests");
  const onNodes = await Promise.all(nodes.map(({ name }) => nodeLeftovers(name)));
  const namespaces = listNamespaces(POD_NAMESPACE_PREFIX);
  return [
    ...objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
    ...onNodes.flat(),
    ...namespaces.map((name) => `the network namespace ${name}`),
    ...readPodRecords().map(({ namespace, name, node }) => `${node} still has pod ${namespace}/${name}`),
  ];
}

async function nodeLeftovers(node: string): Promise<string[]> {
  const links = JSON.parse(await runCommand(["ip", "-n", node, "-j", "link", "show"])) as { ifname: string }[];
  const routes = await Promise.all(
    ["-4", "-6"].flatMap((family) => [
      ...TABLES.map((table) => routesOf(node, [family, "route", "show", "table", String(table)])),
      routesOf(node, [family, "route", "show", "proto", String(ROUTER_PROTOCOL)]),
    ]),
  );
  return [
    ...links.flatMap(({ ifname }) => (OWN_LINKS.includes(ifname) ? [] : [`${node}: link ${ifname}`])),
    ...routes.flat().map((route) => `${node}: route ${route}`),
  ];
}

async function routesOf(node: string, args: readonly string[]): Promise<string[]> {
  // `ip` fails for a table that never had a route.
  const text = await runCommand(["ip", "-n", node, ...args]).catch(() => "");
  return text.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));
}
