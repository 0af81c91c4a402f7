import { copyFileSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { buildPlugin } from "../../plugin/build.ts";
import { setKubelet } from "../agent/client.ts";
import { writeWhole } from "../cluster/files.ts";
import { bootId, type LabState, writeLabState } from "../cluster/lab-state.ts";
import { cniBinaryDirectory, cniConfigDirectory, coildSocket } from "../cluster/layout.ts";
import { takeLock } from "../cluster/lock.ts";
import { foreignLab, type LabPresence, labPresence } from "../cluster/ownership.ts";
import { type ClusterPlan, type LabOptions, planCluster } from "../cluster/plan.ts";
import { preflight } from "../cluster/preflight.ts";
import { sweep } from "../cluster/sweep.ts";
import { ensureControlPlane } from "../control-plane/build.ts";
import { ensureFabric } from "../fabric/fabric.ts";
import { namespaceInode } from "../machine/namespace.ts";
import { endProcesses, networkNamespaceOf } from "../machine/process.ts";
import { ensureCredentials } from "../programs/credentials.ts";
import { programTitle } from "../programs/program.ts";
import { isRunning, listPrograms } from "../programs/record.ts";
import { startProgram } from "../programs/start.ts";
import type { Steps } from "../terminal/steps.ts";
import { CHECKOUT } from "./checkout.ts";
import { labPrograms } from "./programs.ts";
import { waitForLab, waitForPhase, waitForPrograms } from "./readiness.ts";

export const DEFAULTS: LabOptions = { nodes: 3, family: "dual" };

export interface UpOptions {
  readonly options: Partial<LabOptions>;
  /** Fetch the control plane instead of building it. */
  readonly download: boolean;
}

/** `coil-lab up`: makes the lab, or what is missing of it. Throws when it does not get ready. */
export async function up({ options, download }: UpOptions, steps: Steps): Promise<void> {
  preflight(steps.say);
  using _lock = await takeLock({ checkout: CHECKOUT, command: "coil-lab up" }, steps.say);
  const presence = labPresence(CHECKOUT);
  refuseOther(presence, options);
  const [binary, plugin] = await build({ download }, steps);
  const state = await prepare(presence, options, steps);
  const plan = planCluster(state);
  await steps.step(`${plan.nodes.length} nodes and an outside host, in network namespaces`, async () => {
    await ensureFabric(plan);
    await endCutOffPrograms(plan);
    ensureCredentials(plan.apiServer);
    for (const { name } of plan.nodes) installNetwork(name, plugin);
  });
  const programs = labPrograms(plan, binary);
  await steps.step("control plane", async () => {
    for (const program of [programs.etcd, programs.apiServer, programs.agent]) startProgram(program);
    await waitForPhase(["installing", "running"], [programs.etcd, programs.apiServer, programs.agent]);
    return "etcd and kube-apiserver answer";
  });
  await steps.step("custom resources, roles and credentials", async () => {
    await waitForPhase(["running"], [programs.apiServer, programs.agent]);
  });
  await steps.step("programs on the nodes", async () => {
    for (const { name } of plan.nodes) await setKubelet({ node: name, active: true });
    for (const program of programs.own) startProgram(program);
    // Before the API server has its own roles they would be refused, and wait for seconds before they ask again. The garbage
    // collector knows only what is served when the controller manager starts, and learns of the rest half a minute later.
    await waitForPrograms([programs.apiServer]);
    for (const program of programs.kubernetes) startProgram(program);
    await waitForLab(programs.all, { isNew: state.phase === "starting" });
  });
  writeLabState({ ...state, phase: "up" });
}

/** Throws when there is a lab that is not what is asked for. */
function refuseOther(presence: LabPresence, options: Partial<LabOptions>): void {
  if (presence.kind === "foreign") throw foreignLab(presence.state);
  if (presence.kind !== "ours") return;
  const { nodes, family } = presence.state;
  if ((options.nodes ?? nodes) !== nodes || (options.family ?? family) !== family) {
    throw new Error(`A lab of ${nodes} nodes (${family}) is up: run coil-lab down first, to have another one`);
  }
}

/** Decides between a new lab and mending the one that there is. */
async function prepare(presence: LabPresence, options: Partial<LabOptions>, steps: Steps): Promise<LabState> {
  if (presence.kind === "ours") {
    const { nodes, family } = presence.state;
    const down = listPrograms(planCluster(presence.state).nodes.map(({ name }) => name)).filter((record) => !isRunning(record));
    const what = down.map(({ program }) => programTitle(program)).join(", ");
    steps.say(`A lab of ${nodes} nodes (${family}) is up already: ${what === "" ? "looking after it" : `starting ${what}`}`);
    return presence.state;
  }
  if (presence.kind === "remains") steps.say(`Removing what is left of a lab: ${presence.reason}`);
  await sweep();
  const state: LabState = {
    ...DEFAULTS,
    ...options,
    checkout: CHECKOUT,
    bootId: bootId(),
    phase: "starting",
    startedAt: new Date().toISOString(),
  };
  writeLabState(state);
  return state;
}

async function build({ download }: { download: boolean }, steps: Steps): Promise<[binary: string, plugin: string]> {
  let built: [string, string] | undefined;
  await steps.step("Kubernetes control plane and the plugin", async (log) => {
    built = await Promise.all([ensureControlPlane({ log, env: process.env, download }), buildPlugin({ log })]);
  });
  if (!built) throw new Error("Unreachable: the step has ended without result");
  return built;
}

/** Programs of a node whose namespace somebody took away still run in what is left of it. */
async function endCutOffPrograms({ nodes }: ClusterPlan): Promise<void> {
  const cutOff = listPrograms(nodes.map(({ name }) => name)).flatMap((record) => {
    const connected = isRunning(record) && networkNamespaceOf(record.process.pid) === namespaceInode(record.program.node);
    return isRunning(record) && !connected ? [record.process] : [];
  });
  await endProcesses(cutOff, 0);
}

/** What coil-installer does on a real node. */
function installNetwork(node: string, plugin: string): void {
  const binaries = cniBinaryDirectory(node);
  mkdirSync(binaries, { recursive: true });
  copyFileSync(plugin, join(binaries, ".coil.new"));
  renameSync(join(binaries, ".coil.new"), join(binaries, "coil"));
  const network = { cniVersion: "1.1.0", name: "k8s-pod-network", plugins: [{ type: "coil", socket: coildSocket(node) }] };
  writeWhole(join(cniConfigDirectory(node), "10-coil.conflist"), `${JSON.stringify(network, undefined, 2)}\n`);
}
