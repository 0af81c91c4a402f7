import { isAlive, signalProcess, waitForEnd } from "../machine/process.ts";
import { endsPrograms } from "../machine/signals.ts";
import { programTitle } from "./program.ts";
import { isRunning, type ProgramRecord, writeProgram } from "./record.ts";

const END_MS = 30_000;

/**
 * Sends a signal to a program. One that is meant to end it is waited for, and nobody starts the program again but who asks for it.
 * Throws when the program does not run, or does not end in time.
 */
export async function killProgram(record: ProgramRecord, signal: NodeJS.Signals): Promise<void> {
  const title = programTitle(record.program);
  const ends = endsPrograms(signal);
  // First, so that the agent does not see a wanted program that is gone.
  if (ends) writeProgram({ ...record, wanted: false });
  if (!isRunning(record)) throw new Error(`${title} does not run`);
  signalProcess(record.process, signal);
  if (!ends || (await waitForEnd(record.process, END_MS))) return;
  if (isAlive(record.process))
    throw new Error(`${title} still runs ${END_MS / 1000} s after ${signal}; --signal KILL ends it at once`);
}
