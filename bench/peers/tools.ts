import { join } from "node:path";
import { runCommand } from "../../plugin/run-command.ts";

/** The C programs of this folder, by name. */
export type CTool = "launch" | "replay";

/** Compiles one of the C programs into `folder` and answers its path. Throws an `Error` with what the compiler says. */
export async function compileTool(name: CTool, folder: string): Promise<string> {
  const output = join(folder, name);
  const source = join(import.meta.dirname, `${name}.c`);
  await runCommand("cc", ["-O2", "-Wall", "-Wextra", "-Werror", "-o", output, source]);
  return output;
}
