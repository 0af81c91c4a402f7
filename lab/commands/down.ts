import { existsSync } from "node:fs";
import { writeLabState } from "../cluster/lab-state.ts";
import { LAB_DIRECTORY } from "../cluster/layout.ts";
import { takeLock } from "../cluster/lock.ts";
import { foreignLab, labPresence } from "../cluster/ownership.ts";
import { type ClusterPlan, FABRIC, planCluster } from "../cluster/plan.ts";
import { requireRoot } from "../cluster/preflight.ts";
import { labNamespaces, labProcesses, sweep } from "../cluster/sweep.ts";
import { endProcesses } from "../machine/process.ts";
import { ownProgramNames } from "../programs/own.ts";
import { isRunning, listPrograms } from "../programs/record.ts";
import type { Steps } from "../terminal/steps.ts";
import { CHECKOUT } from "./checkout.ts";

/** Time for this project's programs to end by themselves. */
const POLITE_MS = 2000;

/** `coil-lab down`: removes all of the lab, in whatever state it is; `force` also one of another checkout. */
export async function down({ force }: { force: boolean }, steps: Steps): Promise<void> {
  requireRoot("remove network namespaces");
  using _lock = await takeLock({ checkout: CHECKOUT, command: "coil-lab down" }, steps.say);
  const presence = labPresence(CHECKOUT);
  if (presence.kind === "foreign" && !force) throw foreignLab(presence.state);
  const names = labNamespaces();
  if (presence.kind === "none" && !existsSync(LAB_DIRECTORY) && names.length === 0 && labProcesses(names).length === 0) {
    steps.say("There is no lab on this machine");
    return;
  }
  if (presence.kind === "ours") writeLabState({ ...presence.state, phase: "stopping" });
  await steps.step("removing the lab", async () => {
    if (presence.kind === "ours") await endPolitely(planCluster(presence.state));
    const { processes, namespaces } = await sweep();
    return `${processes} processes and ${namespaces} namespaces`;
  });
}

/** Programs that run on Node.js keep their compiled code for the next start, but only when they end by themselves. */
async function endPolitely(plan: ClusterPlan): Promise<void> {
  const names = new Set(["agent", ...[...ownProgramNames(plan).values()].flat()]);
  const records = listPrograms([FABRIC, ...plan.nodes.map(({ name }) => name)]);
  const own = records.filter((record) => names.has(record.program.name)).filter(isRunning);
  await endProcesses(
    own.map((record) => record.process),
    POLITE_MS,
  );
}
