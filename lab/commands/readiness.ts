import { setTimeout as sleep } from "node:timers/promises";
import { agentPhase, agentStatus } from "../agent/client.ts";
import type { AgentStatus } from "../agent/protocol.ts";
import { type Program, programTitle } from "../programs/program.ts";
import { isRunning, readProgram } from "../programs/record.ts";
import { logTail, startProgram } from "../programs/start.ts";

const READY_MS = 120_000;
const POLL_MS = 100;

/** Until the agent has come so far. The programs that it needs for that are watched. */
export async function waitForPhase(phases: readonly AgentStatus["phase"][], needed: readonly Program[]): Promise<void> {
  await waitFor(needed, async () => {
    const phase = await agentPhase();
    return phase !== undefined && phases.includes(phase) ? undefined : `the agent is ${phase ?? "not there"}`;
  });
}

/** Until the programs are healthy. */
export async function waitForPrograms(programs: readonly Program[]): Promise<void> {
  await waitFor(programs, async () => {
    const status = await agentStatus();
    return status ? inWords(programProblems(status, programs)) : "the agent does not answer";
  });
}

/** Until all programs are healthy, the nodes are ready and, in a new lab, pools are accepted. */
export async function waitForLab(programs: readonly Program[], { isNew }: { isNew: boolean }): Promise<void> {
  await waitFor(programs, async () => {
    const status = await agentStatus();
    if (!status) return "the agent does not answer";
    const ofNodes = status.nodes.flatMap(({ name, problem }) => (problem ? [`${name}: ${problem}`] : []));
    // An API server that was started again can take half a minute until it knows its policies; the rest works meanwhile.
    return inWords([...programProblems(status, programs), ...ofNodes, ...(isNew ? status.problems : [])]);
  });
}

function programProblems(status: AgentStatus, programs: readonly Program[]): string[] {
  const wanted = status.programs.filter(({ node, name }) => programs.some((each) => each.node === node && each.name === name));
  return wanted.flatMap(({ node, name, problem }) => (problem ? [`${node}/${name}: ${problem}`] : []));
}

function inWords(problems: readonly string[]): string | undefined {
  return problems.length === 0 ? undefined : problems.join("\n");
}

/**
 * Waits until `problem` has none. A program that ends is started once more: it may have lost its leadership while the API server was
 * away. Throws when it ends again, or when it takes too long.
 */
async function waitFor(needed: readonly Program[], problem: () => Promise<string | undefined>): Promise<void> {
  const deadline = Date.now() + READY_MS;
  const again = new Set<Program>();
  for (;;) {
    const found = await problem();
    if (found === undefined) return;
    const dead = needed.find(({ node, name }) => !isRunning(readProgram(node, name)));
    if (dead && again.has(dead)) throw new Error(`${programTitle(dead)} has ended. The end of its log:\n${logTail(dead)}`);
    if (dead) {
      again.add(dead);
      startProgram(dead);
    }
    if (Date.now() > deadline) throw new Error(`The lab did not get ready in ${READY_MS / 1000} s:\n${found}`);
    await sleep(POLL_MS);
  }
}
