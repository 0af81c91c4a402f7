import { realClock } from "../../src/kube/clock.ts";
import type { KubeLog } from "../../src/kube/log.ts";
import { tryLock } from "../cluster/lock.ts";
import { programTitle } from "../programs/program.ts";
import { isRunning, listPrograms, type ProgramRecord, readProgram } from "../programs/record.ts";
import { restartProgram } from "../programs/start.ts";

const LOOK_MS = 1000;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;

export interface SupervisorOptions {
  readonly nodes: readonly string[];
  readonly checkout: string;
  readonly log: KubeLog;
}

/** Starts programs again that ended by themselves, as a kubelet does for a DaemonSet's pods. Runs until aborted. */
export async function supervise({ nodes, checkout, log }: SupervisorOptions, signal: AbortSignal): Promise<void> {
  const waits = new Map<string, { until: number; ms: number }>();
  while (!signal.aborted) {
    await realClock.sleep(LOOK_MS, { signal }).catch(() => {});
    if (signal.aborted) return;
    for (const record of listPrograms(nodes).filter(endedByItself)) {
      const title = programTitle(record.program);
      const wait = waits.get(title);
      if (wait && wait.until > realClock.now()) continue;
      const ms = Math.min((wait?.ms ?? FIRST_WAIT_MS / 2) * 2, LONGEST_WAIT_MS);
      if (restart(record, { checkout, log })) waits.set(title, { until: realClock.now() + ms, ms });
    }
  }
}

/** A command that is at work may be ending the program: then it is looked at again later. */
function restart({ program }: ProgramRecord, { checkout, log }: Pick<SupervisorOptions, "checkout" | "log">): boolean {
  using lock = tryLock({ checkout, command: "the lab's agent" });
  if (!lock) return false;
  const record = readProgram(program.node, program.name);
  if (!record || !endedByItself(record)) return false;
  log.warn({ program: programTitle(program), restarts: record.restarts + 1 }, "a program ended by itself: starting it again");
  try {
    restartProgram(record);
  } catch (err) {
    log.error({ err, program: programTitle(program) }, "cannot start a program again");
  }
  return true;
}

function endedByItself(record: ProgramRecord): boolean {
  return record.wanted && record.process !== undefined && !isRunning(record);
}
