import { parseArgs } from "node:util";
import { createKubectl } from "../cluster/kubectl.ts";
import { labPresence, requireLab } from "../cluster/ownership.ts";
import { planCluster } from "../cluster/plan.ts";
import { CHECKOUT } from "../commands/checkout.ts";
import { down } from "../commands/down.ts";
import { up } from "../commands/up.ts";
import { createSteps } from "../terminal/steps.ts";
import { styleFor } from "../terminal/style.ts";
import { cleanUp, demonstrate } from "./demo.ts";

const { bold, red } = styleFor(process.stdout, process.env);
const steps = createSteps();

const LOOK_AROUND = `
The lab stays up. To look around:
  npx coil-lab status
  npx coil-lab kubectl -- get pods -A -o wide
  npx coil-lab kubectl -- get addresspools,addressblocks
  npx coil-lab exec coil-worker -- ip route show table 119
  npx coil-lab pod-exec shop/POD -- ping -c 3 ADDRESS
  npx coil-lab logs coil-worker coild
and at the end: npx coil-lab down`;

/** Runs the demonstration. Gives the exit code: 0 only if all of it held. */
export async function main(argv: readonly string[]): Promise<number> {
  const { keep } = parseArgs({ args: [...argv], options: { keep: { type: "boolean", default: false } } }).values;
  const started = performance.now();
  const wasUp = labPresence(CHECKOUT).kind === "ours";
  steps.say(bold("A Kubernetes cluster on this machine, with pods that get their addresses from pools\n"));
  await up({ options: {}, download: false }, steps);
  const plan = planCluster(requireLab(CHECKOUT));
  const kubectl = await createKubectl();
  let failed = false;
  try {
    await demonstrate(plan, kubectl, steps);
    if (!keep) await cleanUp(plan, kubectl, steps);
  } catch (error) {
    failed = true;
    steps.say(red(`\n${(error as Error).message}`));
  }
  if (keep) steps.say(LOOK_AROUND);
  else if (wasUp) steps.say("The lab was up before and stays up");
  else await down({ force: false }, steps);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  steps.say(failed ? red(`\nNot all of it held (${seconds} s)`) : bold(`\nAll of it held (${seconds} s)`));
  return failed ? 1 : 0;
}
