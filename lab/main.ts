import { kill, logs, start } from "./commands/control.ts";
import { down } from "./commands/down.ts";
import { HELP } from "./commands/help.ts";
import { execInNode, execInPod, execOutside, kubectl } from "./commands/inside.ts";
import { type Command, parseCommand, UsageError } from "./commands/parse.ts";
import { status } from "./commands/status.ts";
import { up } from "./commands/up.ts";
import { createSteps } from "./terminal/steps.ts";

const say = (line: string) => console.log(line);

/** Runs `coil-lab` with its arguments. Gives the exit code; what went wrong is on standard error. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    return await run(parseCommand(argv));
  } catch (error) {
    console.error(`coil-lab: ${(error as Error).message}`);
    if (process.env["COIL_LAB_DEBUG"]) console.error(error);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function run(command: Command): Promise<number> {
  switch (command.kind) {
    case "help":
      process.stdout.write(HELP);
      return 0;
    case "up":
      await up(command, createSteps());
      say("coil-lab status shows it, coil-lab kubectl -- get nodes asks it, coil-lab down removes it");
      return 0;
    case "down":
      await down(command, createSteps());
      return 0;
    case "status":
      return (await status(command, say)) ? 0 : 1;
    case "kubectl":
      return kubectl(command.argv);
    case "exec":
      return execInNode(command.node, command.argv);
    case "pod-exec":
      return execInPod(command.namespace, command.pod, command.argv);
    case "outside":
      return execOutside(command.argv);
    case "logs":
      return logs(command);
    case "kill":
      await kill(command, say);
      return 0;
    case "start":
      await start(command, say);
      return 0;
  }
}
