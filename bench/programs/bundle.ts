import { existsSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { runCommand } from "../../plugin/run-command.ts";

const ROOT = join(import.meta.dirname, "../..");
const BANNER = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

/** A program as one JavaScript file, as an image has it: TypeScript costs memory and time that users do not pay. */
export async function bundle(program: string, folder: string): Promise<string> {
  const output = join(folder, `${basename(program, ".ts")}.mjs`);
  // koffi is native, and looked for from where the file lies.
  if (!existsSync(join(folder, "node_modules"))) symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  await runCommand(join(ROOT, "node_modules/.bin/esbuild"), [
    join(ROOT, program),
    ...["--bundle", "--platform=node", "--format=esm", "--external:koffi", "--log-level=warning", `--banner:js=${BANNER}`],
    `--outfile=${output}`,
  ]);
  return output;
}
