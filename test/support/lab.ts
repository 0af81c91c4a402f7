import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createKubectl, type Kubectl } from "../../lab/cluster/kubectl.ts";
import { LAB_DIRECTORY } from "../../lab/cluster/layout.ts";
import { requireLab } from "../../lab/cluster/ownership.ts";
import { type ClusterPlan, type LabOptions, planCluster } from "../../lab/cluster/plan.ts";
import { labNamespaces } from "../../lab/cluster/sweep.ts";
import { CHECKOUT } from "../../lab/commands/checkout.ts";
import { findLeftovers } from "../../lab/demo/leftovers.ts";
import { type PlacedPod, placePods } from "../../lab/demo/pod-table.ts";
import { type RunningPod, runningPods } from "../../lab/demo/running-pods.ts";
import { CommandError, type CommandResult, tryCommand } from "../../lab/machine/command.ts";
import type { AddressBlock } from "../../src/crd/address-block.ts";
import type { KubeObject } from "../../src/kube/object.ts";
import { eventually } from "./eventually.ts";

const COIL_LAB = join(CHECKOUT, "lab", "coil-lab.ts");
const READY_MS = 60_000;
const POLL_MS = 200;

/** A lab that a test file has to itself, driven as users drive it. */
export interface TestLab extends AsyncDisposable {
  readonly plan: ClusterPlan;
  readonly kubectl: Kubectl;
  /** Resolves when `count` pods of a namespace run on their nodes; gives them with their blocks. */
  pods(namespace: string, count: number): Promise<PlacedPod[]>;
  /** What a command prints in a pod. Throws `CommandError`. */
  inPod(pod: RunningPod, ...argv: string[]): Promise<string>;
  /** Deletes the objects of these kinds and names, `namespace/x`, `addresspool/y`, and waits until nothing of a pod is left anywhere. */
  deleteAll(...names: string[]): Promise<void>;
}

/** Runs `coil-lab`, of the way that users start it, and gives how it ended. */
export function tryCoilLab(...args: string[]): Promise<CommandResult> {
  return tryCommand([COIL_LAB, ...args]);
}

/** Runs `coil-lab` and gives what it prints. Throws `CommandError` when it fails. */
export async function coilLab(...args: string[]): Promise<string> {
  const result = await tryCoilLab(...args);
  if (result.code !== 0) throw new CommandError(["coil-lab", ...args], result);
  return result.stdout;
}

/** Throws when there is a lab, or what is left of one, on this machine: it may be somebody's work. */
export function requireNoLab(): void {
  if (!existsSync(LAB_DIRECTORY) && labNamespaces().length === 0) return;
  throw new Error("The tests make a lab of their own and there is one on this machine: run coil-lab down first");
}

/** Makes a lab. Throws when there is one already. */
export async function startLab({ nodes, family }: LabOptions): Promise<TestLab> {
  requireNoLab();
  await coilLab("up", "--nodes", String(nodes), "--family", family);
  const plan = planCluster(requireLab(CHECKOUT));
  const kubectl = await createKubectl();
  return {
    plan,
    kubectl,
    pods: (namespace, count) =>
      eventually(`${count} running pods in ${namespace}`, READY_MS, async () => {
        // The machine has better things to do than to be asked all the time.
        await sleep(POLL_MS);
        const running = await runningPods(kubectl, namespace);
        if (running.length !== count || running.some(({ addresses }) => addresses.length === 0)) return undefined;
        return placePods(running, await kubectl.list<AddressBlock>("addressblocks"));
      }),
    inPod: ({ namespace, name }, ...argv) => coilLab("pod-exec", `${namespace}/${name}`, "--", ...argv),
    async deleteAll(...names) {
      await kubectl.run("delete", "--ignore-not-found", ...names);
      let left: string[] = [];
      await eventually("nothing is left of the pods", READY_MS, async () => {
        await sleep(POLL_MS);
        left = await findLeftovers(plan, kubectl);
        return left.length === 0;
      }).catch((error: unknown) => {
        throw new Error(`${(error as Error).message}\n${left.join("\n")}`);
      });
    },
    async [Symbol.asyncDispose]() {
      await coilLab("down");
    },
  };
}

/** Events of a namespace with this reason. */
export async function eventsOf(kubectl: Kubectl, namespace: string, reason: string): Promise<string[]> {
  const events = await kubectl.list<KubeObject & { message: string }>(
    "events",
    "-n",
    namespace,
    "--field-selector",
    `reason=${reason}`,
  );
  return events.map(({ message }) => message);
}
