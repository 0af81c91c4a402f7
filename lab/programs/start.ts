import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { PROCESS_MARKER, programLog } from "../cluster/layout.ts";
import { inNamespace } from "../machine/namespace.ts";
import { identifyChild, type ProcessIdentity } from "../machine/process.ts";
import { type Program, programTitle } from "./program.ts";
import { isRunning, type ProgramRecord, readProgram, writeProgram } from "./record.ts";

/** Variables of the caller that programs get; all else is theirs. */
const PASSED_ON = ["PATH", "HOME", "LANG", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"];

/**
 * Starts a program in its node's namespace, in the background and independent of this process, unless it runs. What it writes goes
 * to its log file. Gives its record.
 */
export function startProgram(program: Program): ProgramRecord {
  const before = readProgram(program.node, program.name);
  if (isRunning(before)) {
    const record = { ...before, wanted: true };
    if (!before.wanted) writeProgram(record);
    return record;
  }
  const record: ProgramRecord = { program, process: spawnDetached(program), wanted: true, restarts: before?.restarts ?? 0 };
  writeProgram(record);
  return record;
}

/** Starts a program that ended by itself again. The caller holds the lock, so that no command changes the record meanwhile. */
export function restartProgram(record: ProgramRecord): void {
  writeProgram({ ...record, process: spawnDetached(record.program), restarts: record.restarts + 1 });
}

/** The end of a program's log, for messages. */
export function logTail({ node, name }: Pick<Program, "node" | "name">, lines = 15): string {
  try {
    return readFileSync(programLog(node, name), "utf8").trimEnd().split("\n").slice(-lines).join("\n");
  } catch {
    return "";
  }
}

function spawnDetached(program: Program): ProcessIdentity {
  const path = programLog(program.node, program.name);
  mkdirSync(dirname(path), { recursive: true });
  const log = openSync(path, "a", 0o644);
  try {
    writeSync(log, `--- ${new Date().toISOString()} starting ${program.argv.join(" ")}\n`);
    const [command, ...args] = inNamespace(program.node, program.argv) as [string, ...string[]];
    const child = spawn(command, args, {
      detached: true,
      stdio: ["ignore", log, log],
      cwd: "/",
      env: { ...passedOn(), ...program.env, [PROCESS_MARKER.name]: PROCESS_MARKER.value },
    });
    // `nsenter` becomes the program, so its pid is the program's.
    const identity = child.pid === undefined ? undefined : identifyChild(child.pid);
    child.on("error", () => {});
    child.unref();
    if (!identity) throw new Error(`Cannot start ${programTitle(program)}:\n${logTail(program)}`);
    return identity;
  } finally {
    closeSync(log);
  }
}

function passedOn(): Record<string, string> {
  return Object.fromEntries(PASSED_ON.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}
