import { readFileSync } from "node:fs";
import { readJson, writeWhole } from "./files.ts";
import { LAB_STATE } from "./layout.ts";
import type { LabOptions } from "./plan.ts";

/** What is remembered of a lab. */
export interface LabState extends LabOptions {
  /** The checkout whose programs run. */
  readonly checkout: string;
  /** A lab does not outlive the boot of its machine. */
  readonly bootId: string;
  /** `up` only when everything was there once: an `up` that was cut off is begun anew. */
  readonly phase: "starting" | "up" | "stopping";
  /** RFC 3339. */
  readonly startedAt: string;
}

/** The lab of this machine, if there is one. */
export function readLabState(): LabState | undefined {
  return readJson<LabState>(LAB_STATE);
}

export function writeLabState(state: LabState): void {
  writeWhole(LAB_STATE, `${JSON.stringify(state, undefined, 2)}\n`);
}

/** The identity of this boot. */
export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}
