#!/usr/bin/env -S sh -c 'd=$(dirname "$(readlink -f "$0")"); n=$d/../node_modules/.bin/node; [ -x "$n" ] || { echo "coil-lab: run npm ci first" >&2; exit 1; }; exec "$n" "$0" "$@"'
/** The command `coil-lab`: a whole cluster on one Linux machine, out of network namespaces. */
import { kill, logs, start } from "./commands/control.ts";
import { down } from "./commands/down.ts";
import { HELP } from "./commands/help.ts";
import { execInNode, execInPod, execOutside, kubectl } from "./commands/inside.ts";
import { type Command, parseCommand, UsageError } from "./commands/parse.ts";
import { status } from "./commands/status.ts";
import { up } from "./commands/up.ts";
import { createSteps } from "./terminal/steps.ts";

const say = (line: string) => console.log(line);

try {
  process.exitCode = await run(parseCommand(process.argv.slice(2)));
} catch (error) {
  console.error(`coil-lab: ${(error as Error).message}`);
  if (process.env["COIL_LAB_DEBUG"]) console.error(error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

/** Gives the exit code. */
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
