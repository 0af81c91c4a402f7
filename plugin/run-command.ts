import { execFile } from "node:child_process";

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
}

/** A command ended with an error, or could not be started (`missing`). */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly missing: boolean;

  constructor(message: string, missing: boolean) {
    super(message);
    this.missing = missing;
  }
}

/** Runs a command with empty standard input and answers what it printed. Throws {@link CommandError} with the end of its error output. */
export function runCommand(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { cwd, env = process.env, signal } = options;
  return new Promise((resolve, reject) => {
    const settings = { env, maxBuffer: 16 * 1024 * 1024, ...(cwd && { cwd }), ...(signal && { signal }) };
    const child = execFile(command, [...args], settings, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      if (signal?.aborted) return reject(signal.reason);
      const missing = error.code === "ENOENT";
      const reason = missing ? "it is not installed" : `${stderr}${stdout}`.trimEnd().slice(-2000) || error.message;
      reject(new CommandError(`Cannot run ${command} ${args[0] ?? ""}: ${reason}`, missing));
    });
    // A command that is not there closes the pipe by itself.
    child.stdin?.on("error", () => {}).end();
  });
}
