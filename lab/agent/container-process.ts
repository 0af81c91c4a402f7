import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CONTAINERS_DIRECTORY, PROCESS_MARKER } from "../cluster/layout.ts";
import { inNamespace } from "../machine/namespace.ts";
import { identify, identifyChild, isAlive, type ProcessIdentity } from "../machine/process.ts";
import type { ContainerSpec } from "./container-spec.ts";
import type { ContainerEnd } from "./pod-record.ts";

/** The keeper: waits for the container and leaves its exit code in a file, whether the agent lives by then or not. */
const KEEPER = 'exit=$1; shift; "$@"; code=$?; echo "$code" >"$exit.new" && mv "$exit.new" "$exit"';

/** The last steps before the container: its own host name, its pid in a file, and none but its own environment. */
const ENTRY = '[ -z "$1" ] || echo "$1" >/proc/sys/kernel/hostname; echo $$ >"$2"; shift 2; exec env -i "$@"';

export interface StartOptions {
  readonly id: string;
  /** The network namespace to run in. */
  readonly namespace: string;
  /** Absent on the node's own network, where the host name stays as it is. */
  readonly hostname?: string;
  readonly spec: ContainerSpec;
  /** Called once when the container has ended. */
  readonly onEnd: () => void;
}

/** Starts a container's process, independent of this one. Gives its keeper. */
export function startContainer({ id, namespace, hostname, spec, onEnd }: StartOptions): ProcessIdentity {
  const directory = containerDirectory(id);
  mkdirSync(directory, { recursive: true });
  const log = openSync(containerLog(id), "a", 0o644);
  try {
    const marked = { ...spec.env, [PROCESS_MARKER.name]: PROCESS_MARKER.value };
    const variables = Object.entries(marked).map(([name, value]) => `${name}=${value}`);
    const entry = ["sh", "-c", ENTRY, "entry", hostname ?? "", pidFile(id), ...variables, ...spec.argv];
    const isolated = inNamespace(namespace, hostname === undefined ? entry : ["unshare", "--uts", "--", ...entry]);
    const child = spawn("sh", ["-c", KEEPER, "keeper", exitFile(id), ...isolated], {
      detached: true,
      stdio: ["ignore", log, log],
      cwd: spec.cwd,
      env: { PATH: process.env["PATH"], [PROCESS_MARKER.name]: PROCESS_MARKER.value },
    });
    child.on("error", () => {});
    child.on("exit", onEnd);
    child.unref();
    const identity = child.pid === undefined ? undefined : identifyChild(child.pid);
    if (!identity) throw new Error(`Cannot start the process of container ${id} in ${spec.cwd}`);
    return identity;
  } finally {
    closeSync(log);
  }
}

/** How the container ended; undefined as long as it runs. */
export function containerEnd(id: string, keeper: ProcessIdentity): ContainerEnd | undefined {
  const code = readNumber(exitFile(id));
  if (code === undefined && isAlive(keeper)) return undefined;
  const at = new Date().toISOString();
  // Somebody killed the keeper: the container's end is not known.
  if (code === undefined) return { exitCode: 137, at };
  return code === 126 || code === 127 ? { exitCode: code, at, message: lastLine(id) } : { exitCode: code, at };
}

/** The container's own process, as far as it is known. */
export function containerProcess(id: string): ProcessIdentity | undefined {
  const pid = readNumber(pidFile(id));
  return pid === undefined ? undefined : identify(pid);
}

export function containerLog(id: string): string {
  return join(containerDirectory(id), "log");
}

export function removeContainerFiles(id: string): void {
  rmSync(containerDirectory(id), { recursive: true, force: true });
}

function containerDirectory(id: string): string {
  return join(CONTAINERS_DIRECTORY, id);
}

function exitFile(id: string): string {
  return join(containerDirectory(id), "exit");
}

function pidFile(id: string): string {
  return join(containerDirectory(id), "pid");
}

function lastLine(id: string): string {
  return readFileSync(containerLog(id), "utf8").trimEnd().split("\n").at(-1) ?? "";
}

function readNumber(path: string): number | undefined {
  try {
    const text = readFileSync(path, "utf8").trim();
    return /^\d+$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}
