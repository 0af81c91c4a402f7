import { setTimeout as sleep } from "node:timers/promises";
import type { AddressBlock } from "../../src/crd/address-block.ts";
import { DEFAULT_POOL } from "../../src/crd/names.ts";
import type { Kubectl } from "../cluster/kubectl.ts";
import type { ClusterPlan } from "../cluster/plan.ts";
import { runCommand } from "../machine/command.ts";
import type { Steps } from "../terminal/steps.ts";
import { formatTable } from "../terminal/table.ts";
import { findLeftovers } from "./leftovers.ts";
import { NAMESPACES, namespaceObjects, POOLS, poolObjects, workloadObjects } from "./objects.ts";
import { type PlacedPod, placePods, podRows } from "./pod-table.ts";
import { allOthers, pingAll } from "./reachability.ts";
import { runningPods } from "./running-pods.ts";
import { measureThroughput } from "./throughput.ts";

const READY_S = 120;
const GONE_MS = 60_000;

/** Shows on a lab that pods get addresses from pools and reach each other. Throws when something does not hold. */
export async function demonstrate(plan: ClusterPlan, kubectl: Kubectl, steps: Steps): Promise<void> {
  await steps.step("address pools and namespaces", async () => {
    await kubectl.apply([...poolObjects(plan), ...namespaceObjects()]);
    return POOLS.map(({ name }) => name).join(" and ");
  });
  let pods: PlacedPod[] = [];
  await steps.step("pods in two namespaces, on every node", async () => {
    await kubectl.apply(workloadObjects(plan));
    await Promise.all(
      NAMESPACES.map(({ name }) => kubectl.run("rollout", "status", "deployment", "-n", name, `--timeout=${READY_S}s`)),
    );
    const running = (await Promise.all(NAMESPACES.map(({ name }) => runningPods(kubectl, name)))).flat();
    pods = placePods(running, await kubectl.list<AddressBlock>("addressblocks"));
    return `${pods.length} run`;
  });
  steps.say("");
  steps.show(formatTable(podRows(pods)));
  steps.say("");
  await steps.step("every pod has addresses of its namespace's pool", async () => checkPlacement(plan, pods));
  await steps.step("every pod pings every other, in all families", async () => {
    const { pings, failures } = await pingAll(pods, allOthers(pods));
    if (failures.length > 0) throw new Error(`${failures.length} of ${pings} pings had no answer:\n${failures.join("\n")}`);
    return `${pings} pings answered`;
  });
  await showTables(plan, kubectl, steps);
  await steps.step("one TCP stream, pod to pod over two nodes", () => compareThroughput(plan, pods));
}

/** Takes away what `demonstrate` made, and looks whether anything stays behind. Throws when something does. */
export async function cleanUp(plan: ClusterPlan, kubectl: Kubectl, steps: Steps): Promise<void> {
  await steps.step("kubectl delete of everything leaves nothing behind", async () => {
    await kubectl.run("delete", "namespace", "--ignore-not-found", ...NAMESPACES.map(({ name }) => name));
    await kubectl.run("delete", "addresspool", "--ignore-not-found", ...POOLS.map(({ name }) => name));
    const deadline = Date.now() + GONE_MS;
    let left = await findLeftovers(plan, kubectl);
    while (left.length > 0 && Date.now() < deadline) {
      await sleep(200);
      left = await findLeftovers(plan, kubectl);
    }
    if (left.length > 0) throw new Error(`After ${GONE_MS / 1000} s there is still:\n${left.join("\n")}`);
  });
}

async function checkPlacement({ families }: ClusterPlan, pods: readonly PlacedPod[]): Promise<void> {
  const wrong = pods.filter(({ namespace, node, addresses, block }) => {
    const pool = NAMESPACES.find(({ name }) => name === namespace)?.pool ?? DEFAULT_POOL;
    return block?.pool !== pool || block.node !== node || addresses.length !== families.length;
  });
  const addresses = pods.flatMap((pod) => pod.addresses);
  if (new Set(addresses).size !== addresses.length) throw new Error("An address was given to two pods");
  if (wrong.length > 0) throw new Error(`Not so:\n${formatTable(podRows(wrong))}`);
}

async function showTables({ nodes, families }: ClusterPlan, kubectl: Kubectl, steps: Steps): Promise<void> {
  const node = nodes.at(-1)?.name ?? "";
  for (const family of families) {
    const flag = family === "ipv4" ? "-4" : "-6";
    steps.say(`\n  ${node}# ip ${flag} route show table 119        routes for routing software to announce`);
    steps.show(await runCommand(["ip", "-n", node, flag, "route", "show", "table", "119"]));
  }
  steps.say("\n  # kubectl get addressblocks");
  steps.show(await kubectl.run("get", "addressblocks"));
  steps.say("");
}

async function compareThroughput({ nodes }: ClusterPlan, pods: readonly PlacedPod[]): Promise<string> {
  const [from, to] = nodes.slice(-2);
  const source = pods.find(({ node }) => node === from?.name);
  const target = pods.find(({ node }) => node === to?.name);
  if (!from || !to || !source || !target) return "needs two nodes";
  const betweenNodes = await measureThroughput(from.name, to.name, to.addresses[0] ?? "");
  const betweenPods = await measureThroughput(source.netns, target.netns, target.addresses[0] ?? "");
  return `${betweenPods.toFixed(1)} Gbit/s (node to node ${betweenNodes.toFixed(1)})`;
}
