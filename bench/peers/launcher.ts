import { execFile } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

/** One run of a program. */
export interface LaunchedRun {
  /** From just before the start to the end of the output. */
  readonly ms: number;
  /** The most that was resident at a time, in MB. */
  readonly megabytes: number;
}

/** What to start, and how often. */
export interface Launch {
  readonly command: readonly [string, ...string[]];
  /** The whole environment of each run; their number is that of the runs. */
  readonly environments: readonly Readonly<Record<string, string>>[];
  /** Standard input. */
  readonly input: string;
  /** Path of the network namespace to start it in. */
  readonly netns?: string;
}

/** Starts programs, one after the other. Rejects when one of them fails. */
export type Launcher = (launch: Launch) => Promise<LaunchedRun[]>;

const execute = promisify(execFile);
let serial = 0;

/** By the C program `launch`, whose files go into `folder`. */
export function createLauncher(tool: string, folder: string): Launcher {
  return async ({ command, environments, input, netns }) => {
    const [runsFile, inputFile] = [join(folder, `runs-${serial}`), join(folder, `input-${serial}`)];
    serial++;
    const lines = environments.map((environment) =>
      Object.entries(environment)
        .map(([name, value]) => `${name}=${value}`)
        .join("\t"),
    );
    await writeFile(runsFile, `${lines.join("\n")}\n`);
    await writeFile(inputFile, input);
    const words = [...(netns ? ["nsenter", `--net=${netns}`] : []), tool, runsFile, inputFile, ...command];
    const [program, ...args] = words as [string, ...string[]];
    const { stdout } = await execute(program, args, { maxBuffer: 1 << 24 });
    await Promise.all([rm(runsFile), rm(inputFile)]);
    return stdout
      .trim()
      .split("\n")
      .map((line) => {
        const [nanoseconds, kibibytes] = line.split(" ").map(Number);
        return { ms: (nanoseconds ?? Number.NaN) / 1e6, megabytes: ((kibibytes ?? Number.NaN) * 1024) / 1e6 };
      });
  };
}
