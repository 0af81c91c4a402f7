import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A process for as long as it lives: a pid alone may be given to another one later. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Ticks since boot, field 22 of /proc/PID/stat. */
  readonly startTime: string;
}

/** The identity of a process that runs, or undefined when there is none or only what is left of it (a zombie). */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid);
  return stat && stat.state !== "Z" && stat.state !== "X" ? { pid, startTime: stat.startTime } : undefined;
}

/** The identity of a child that was just started, also when it has ended by now. */
export function identifyChild(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid);
  return stat && { pid, startTime: stat.startTime };
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startTime === identity.startTime;
}

/** Sends a signal unless the process has ended. Gives whether it was sent. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** Waits until the process has ended; false when it still runs after `timeoutMs`. */
export async function waitForEnd(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (isAlive(identity)) {
    if (performance.now() >= deadline) return false;
    await sleep(20);
  }
  return true;
}

/** Ends processes: SIGTERM, and SIGKILL for those that are there after `graceMs`. Resolves when none is left. */
export async function endProcesses(identities: readonly ProcessIdentity[], graceMs: number): Promise<void> {
  if (graceMs > 0) {
    for (const identity of identities) signalProcess(identity, "SIGTERM");
    // A stopped process cannot act on SIGTERM.
    for (const identity of identities) signalProcess(identity, "SIGCONT");
    await Promise.all(identities.map((identity) => waitForEnd(identity, graceMs)));
  }
  const stubborn = identities.filter((identity) => signalProcess(identity, "SIGKILL"));
  await Promise.all(stubborn.map((identity) => waitForEnd(identity, 10_000)));
}

/** What tells a process of the lab from others. */
export interface ProcessFilter {
  /** Inodes of network namespaces. */
  readonly namespaces?: ReadonlySet<bigint>;
  /** `NAME=value` in the environment that it was started with. */
  readonly environment?: string;
}

/** Processes that match any part of the filter, except this one and those it descends from. */
export function findProcesses({ namespaces, environment }: ProcessFilter): ProcessIdentity[] {
  const family = ancestors();
  const found: ProcessIdentity[] = [];
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || family.has(pid)) continue;
    const inode = namespaces ? networkNamespaceOf(pid) : undefined;
    const matches =
      (inode !== undefined && namespaces?.has(inode)) || (environment !== undefined && environmentOf(pid).includes(environment));
    const identity = matches ? identify(pid) : undefined;
    if (identity) found.push(identity);
  }
  return found;
}

/** Memory in use, bytes; 0 when the process has ended. */
export function residentBytes(pid: number): number {
  const pages = Number((read(`/proc/${pid}/statm`) ?? "").split(" ")[1] ?? 0);
  return pages * 4096;
}

/** The inode of the network namespace that a process is in; undefined when it has ended. */
export function networkNamespaceOf(pid: number): bigint | undefined {
  try {
    const match = /^net:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/ns/net`));
    return match?.[1] === undefined ? undefined : BigInt(match[1]);
  } catch {
    return undefined;
  }
}

function environmentOf(pid: number): string[] {
  return (read(`/proc/${pid}/environ`) ?? "").split("\0");
}

function ancestors(): Set<number> {
  const pids = new Set<number>();
  for (let pid: number | undefined = process.pid; pid !== undefined && pid > 0 && !pids.has(pid); pid = readStat(pid)?.parent) {
    pids.add(pid);
  }
  return pids;
}

function readStat(pid: number): { state: string; parent: number; startTime: string } | undefined {
  const text = read(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The second field is the program's name in parentheses, which may hold anything.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] ?? "", parent: Number(fields[1]), startTime: fields[19] ?? "" };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
