import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { agentStatus, setKubelet } from "../agent/client.ts";
import { programLog } from "../cluster/layout.ts";
import { takeLock } from "../cluster/lock.ts";
import { requireLab } from "../cluster/ownership.ts";
import { FABRIC, planCluster } from "../cluster/plan.ts";
import { requireRoot } from "../cluster/preflight.ts";
import { ensureControlPlane } from "../control-plane/build.ts";
import { runInteractive } from "../machine/command.ts";
import { endsPrograms } from "../machine/signals.ts";
import { programTitle } from "../programs/program.ts";
import { isRunning, listPrograms, readProgram } from "../programs/record.ts";
import { logTail, startProgram } from "../programs/start.ts";
import { killProgram } from "../programs/stop.ts";
import { CHECKOUT } from "./checkout.ts";
import { labPrograms } from "./programs.ts";

/** The light kubelets are part of the agent and have no process of their own. */
const KUBELET = "kubelet";
const START_MS = 30_000;

interface Place {
  readonly node: string;
  readonly program: string;
}

/** `coil-lab kill`. */
export async function kill(
  { node, program, signal }: Place & { signal: NodeJS.Signals },
  say: (line: string) => void,
): Promise<void> {
  requireRoot("send signals to the lab's programs");
  using _lock = await takeLock({ checkout: CHECKOUT, command: "coil-lab kill" }, say);
  requireProgram({ node, program });
  if (program === KUBELET) {
    if (signal !== "SIGCONT") await setKubelet({ node, active: false });
    else await setKubelet({ node, active: true });
    return;
  }
  const record = readProgram(node, program);
  if (!record) throw new Error(`${node}/${program} was never started`);
  await killProgram(record, signal);
  say(
    endsPrograms(signal)
      ? `${node}/${program} has ended; coil-lab start ${node} ${program} starts it again`
      : `sent ${signal} to ${node}/${program}`,
  );
}

/** `coil-lab start`: returns when the program is ready. */
export async function start({ node, program }: Place, say: (line: string) => void): Promise<void> {
  requireRoot("start the lab's programs");
  using _lock = await takeLock({ checkout: CHECKOUT, command: "coil-lab start" }, say);
  const plan = planCluster(requireProgram({ node, program }));
  if (program === KUBELET) return setKubelet({ node, active: true });
  const wanted = labPrograms(plan, await ensureControlPlane({ env: process.env })).all.find(
    (each) => each.node === node && each.name === program,
  );
  if (!wanted) throw new Error(`Unreachable: ${node}/${program} is a program of the lab`);
  if (isRunning(readProgram(node, program))) say(`${programTitle(wanted)} runs already`);
  startProgram(wanted);
  const deadline = Date.now() + START_MS;
  for (;;) {
    const agent = await agentStatus();
    const report = agent?.programs.find((each) => each.node === node && each.name === program);
    if (!isRunning(readProgram(node, program))) throw new Error(`${programTitle(wanted)} has ended:\n${logTail(wanted)}`);
    // Without the agent there is nobody to ask; that it runs must do.
    if (!agent || !report?.problem) return;
    if (Date.now() > deadline) throw new Error(`${programTitle(wanted)} runs, but did not get ready: ${report.problem}`);
    await sleep(50);
  }
}

/** `coil-lab logs`. Gives the exit code. */
export async function logs({ node, program, follow, tail }: Place & { follow: boolean; tail: string }): Promise<number> {
  requireRoot("read the lab's logs");
  requireProgram({ node, program });
  const path = programLog(node, program);
  if (!existsSync(path)) throw new Error(`${node}/${program} has written nothing yet`);
  return runInteractive(["tail", "-n", tail, ...(follow ? ["-F"] : []), path]);
}

/** Throws, naming what there is, for a program that this lab does not have. */
function requireProgram({ node, program }: Place) {
  const lab = requireLab(CHECKOUT);
  const nodes = planCluster(lab).nodes.map(({ name }) => name);
  if (node !== FABRIC && !nodes.includes(node)) throw new Error(`There is no node ${node}; there are ${nodes.join(", ")}`);
  const names = listPrograms([node]).map((record) => record.program.name);
  if (node !== FABRIC) names.push(KUBELET);
  if (!names.includes(program)) throw new Error(`There is no program ${program} on ${node}; there are ${names.join(", ")}`);
  return lab;
}
