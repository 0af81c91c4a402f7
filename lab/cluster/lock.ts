import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { identify, isAlive, type ProcessIdentity } from "../machine/process.ts";
import { LOCK_FILE } from "./layout.ts";

interface Holder extends ProcessIdentity {
  readonly checkout: string;
  readonly command: string;
}

/** Who asks for the lock, for those who have to wait. */
export interface LockClaim {
  readonly checkout: string;
  /** In words, for example `coil-lab up`. */
  readonly command: string;
}

/** Takes the lock if nobody alive has it; undefined otherwise. */
export function tryLock({ checkout, command }: LockClaim, path = LOCK_FILE): Disposable | undefined {
  const own: Holder = { ...ownIdentity(), checkout, command };
  for (let attempt = 0; attempt < 3; attempt++) {
    if (linkWhole(own, path)) return { [Symbol.dispose]: () => release(own, path) };
    const holder = readHolder(path);
    if (holder && isAlive(holder)) return undefined;
    takeAwayDead(path);
  }
  return undefined;
}

/** Takes the lock, waiting for a command of the same checkout. Throws when one of another checkout has it. */
export async function takeLock(claim: LockClaim, say: (line: string) => void, path = LOCK_FILE): Promise<Disposable> {
  for (let waits = 0; ; waits++) {
    const lock = tryLock(claim, path);
    if (lock) return lock;
    const holder = readHolder(path);
    if (holder && holder.checkout !== claim.checkout) {
      throw new Error(
        `${holder.command} of ${holder.checkout} (process ${holder.pid}) is at work: there is one lab a machine, so wait until it ends`,
      );
    }
    if (holder && waits === 0) say(`waiting for ${holder.command} (process ${holder.pid}) to end`);
    await sleep(100);
  }
}

/** Puts a complete lock file in place; false when there is one. */
function linkWhole(own: Holder, path: string): boolean {
  const temporary = `${path}.${own.pid}`;
  writeFileSync(temporary, JSON.stringify(own), { mode: 0o644 });
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Removes the lock of a command that was killed, or of before a restart of the machine. */
function takeAwayDead(path: string): void {
  const aside = `${path}.${process.pid}.dead`;
  try {
    renameSync(path, aside);
    const holder = readHolder(aside);
    // Another process may have been faster and hold it by now: give it back.
    if (holder && isAlive(holder)) linkSync(aside, path);
  } catch (error) {
    if (!["ENOENT", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function readHolder(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Holder;
  } catch {
    return undefined;
  }
}

function release(own: Holder, path: string): void {
  const holder = readHolder(path);
  if (holder?.pid === own.pid && holder.startTime === own.startTime) rmSync(path, { force: true });
}

function ownIdentity(): ProcessIdentity {
  const identity = identify(process.pid);
  if (!identity) throw new Error("Unreachable: this process has no entry in /proc");
  return identity;
}
