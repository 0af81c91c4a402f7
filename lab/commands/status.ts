import { existsSync } from "node:fs";
import { agentStatus } from "../agent/client.ts";
import type { AgentStatus } from "../agent/protocol.ts";
import { kubeletStopped } from "../cluster/layout.ts";
import { requireLab } from "../cluster/ownership.ts";
import { FABRIC, planCluster } from "../cluster/plan.ts";
import { requireRoot } from "../cluster/preflight.ts";
import { residentBytes } from "../machine/process.ts";
import { isRunning, listPrograms, type ProgramRecord } from "../programs/record.ts";
import { formatTable } from "../terminal/table.ts";
import { CHECKOUT } from "./checkout.ts";

/** A program as `coil-lab status --json` shows it. */
interface ProgramState {
  readonly node: string;
  readonly name: string;
  readonly state: "ready" | "running" | "stopped" | "down";
  readonly problem?: string;
  readonly pid?: number;
  readonly restarts: number;
  readonly residentBytes?: number;
}

interface NodeState {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly ready: boolean;
  readonly problem?: string;
  readonly pods: number;
}

/** `coil-lab status`: nodes and programs. Gives whether all is well. Throws when there is no lab. */
export async function status({ json }: { json: boolean }, write: (line: string) => void): Promise<boolean> {
  requireRoot("see the lab's state");
  const lab = requireLab(CHECKOUT);
  const plan = planCluster(lab);
  const agent = await agentStatus();
  const nodes = plan.nodes.map(({ name, addresses }): NodeState => {
    const report = agent?.nodes.find((each) => each.name === name);
    const problem = agent ? report?.problem : "the lab's agent does not answer";
    return { name, addresses, ready: problem === undefined, ...(problem !== undefined && { problem }), pods: report?.pods ?? 0 };
  });
  const records = listPrograms([FABRIC, ...plan.nodes.map(({ name }) => name)]);
  const programs = [
    ...records.map((record) => programState(record, agent)),
    ...plan.nodes.map(({ name }) => kubeletState(name, agent)),
  ];
  const well = nodes.every(({ ready }) => ready) && programs.every(({ state }) => state === "ready" || state === "running");
  if (json) {
    write(JSON.stringify({ ...lab, well, nodes, programs }, undefined, 2));
    return well;
  }
  write(
    `A lab of ${lab.nodes} nodes (${lab.family}) is up since ${lab.startedAt}: ${well ? "all is well" : "something is wrong"}\n`,
  );
  write(formatTable([["NODE", "ADDRESSES", "PODS", "STATE"], ...nodes.map(nodeRow)]));
  write("");
  const order = ["NODE", "PROGRAM", "PID", "MB", "RESTARTS", "STATE"];
  write(formatTable([order, ...programs.toSorted((a, b) => a.node.localeCompare(b.node)).map(programRow)]));
  return well;
}

function programState(record: ProgramRecord, agent: AgentStatus | undefined): ProgramState {
  const { node, name } = record.program;
  const base = { node, name, restarts: record.restarts };
  if (!isRunning(record)) return { ...base, state: record.wanted ? "down" : "stopped" };
  const { pid } = record.process;
  const running = { ...base, pid, residentBytes: residentBytes(pid) };
  const report = agent?.programs.find((each) => each.node === node && each.name === name);
  if (report?.problem !== undefined) return { ...running, state: "down", problem: report.problem };
  return { ...running, state: agent && record.program.health ? "ready" : "running" };
}

/** The light kubelet of a node, which is part of the agent. */
function kubeletState(node: string, agent: AgentStatus | undefined): ProgramState {
  const stopped = existsSync(kubeletStopped(node));
  return { node, name: "kubelet", restarts: 0, state: stopped ? "stopped" : agent ? "running" : "down" };
}

function nodeRow({ name, addresses, pods, problem }: NodeState): string[] {
  return [name, addresses.join(" "), String(pods), problem === undefined ? "ready" : `not ready: ${oneLine(problem)}`];
}

function programRow({ node, name, pid, residentBytes: bytes, restarts, state, problem }: ProgramState): string[] {
  const memory = bytes === undefined ? "" : (bytes / 1e6).toFixed(0);
  return [
    node,
    name,
    String(pid ?? ""),
    memory,
    String(restarts),
    problem === undefined ? state : `${state}: ${oneLine(problem)}`,
  ];
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 120 ? `${line.slice(0, 119)}…` : line;
}
