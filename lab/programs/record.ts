import { readdirSync } from "node:fs";
import { readJson, writeWhole } from "../cluster/files.ts";
import { programDirectory, programRecord } from "../cluster/layout.ts";
import { isAlive, type ProcessIdentity } from "../machine/process.ts";
import type { Program } from "./program.ts";

/** What is remembered of a program that was started, so that any later command finds it and can start it again. */
export interface ProgramRecord {
  readonly program: Program;
  readonly process?: ProcessIdentity;
  /** False after `coil-lab kill`: then nobody starts it but `coil-lab start` and `coil-lab up`. */
  readonly wanted: boolean;
  /** How often it ended by itself and was started again. */
  readonly restarts: number;
}

export function readProgram(node: string, name: string): ProgramRecord | undefined {
  return readJson<ProgramRecord>(programRecord(node, name));
}

export function writeProgram(record: ProgramRecord): void {
  writeWhole(programRecord(record.program.node, record.program.name), `${JSON.stringify(record, undefined, 2)}\n`);
}

/** All programs of some nodes, by name. */
export function listPrograms(nodes: readonly string[]): ProgramRecord[] {
  return nodes.flatMap((node) => recordNames(node).flatMap((name) => readProgram(node, name) ?? []));
}

export function isRunning(record: ProgramRecord | undefined): record is ProgramRecord & { process: ProcessIdentity } {
  return record?.process !== undefined && isAlive(record.process);
}

function recordNames(node: string): string[] {
  try {
    return readdirSync(programDirectory(node))
      .flatMap((file) => (file.endsWith(".json") ? [file.slice(0, -".json".length)] : []))
      .sort();
  } catch {
    return [];
  }
}
