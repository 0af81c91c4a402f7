import { type SpawnOptions, spawn } from "node:child_process";
import { signalNumber } from "./signals.ts";

/** How a program ended and what it wrote. */
export interface CommandResult {
  /** Exit code; 128 + n for signal n, as a shell has it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
  /** Ends the program with SIGKILL after so many ms; the result then has code 137. */
  readonly timeoutMs?: number;
}

/** A program that ended with a code other than 0. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly result: CommandResult;

  constructor(argv: readonly string[], result: CommandResult) {
    const said = (result.stderr || result.stdout).trim();
    super(`${argv.join(" ").slice(0, 200)}: exit code ${result.code}${said === "" ? "" : `: ${said.slice(-2000)}`}`);
    this.result = result;
  }
}

/** Runs a program to its end, whatever its exit code. Rejects when it cannot be started, with `ENOENT` told in words. */
export async function tryCommand(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  options.signal?.throwIfAborted();
  const [program, ...args] = argv as [string, ...string[]];
  const spawnOptions: SpawnOptions = {
    stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    ...(options.env && { env: options.env }),
    ...(options.signal && { signal: options.signal }),
    ...(options.timeoutMs !== undefined && { timeout: options.timeoutMs }),
    killSignal: "SIGKILL",
  };
  const child = spawn(program, args, spawnOptions);
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
  // A program that ends without reading its input is no failure of ours: its exit code tells.
  child.stdin?.on("error", () => {}).end(options.input);
  const code = await new Promise<number>((resolve, reject) => {
    child.on("error", (cause: NodeJS.ErrnoException) => {
      reject(cause.code === "ENOENT" ? new Error(`Cannot start ${program}: there is no such program`, { cause }) : cause);
    });
    child.on("close", (status, signal) => resolve(status ?? 128 + signalNumber(signal)));
  });
  return { code, stdout: Buffer.concat(stdout).toString("utf8"), stderr: Buffer.concat(stderr).toString("utf8") };
}

/** Runs a program and gives what it wrote to standard output. Throws `CommandError` when it fails. */
export async function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await tryCommand(argv, options);
  if (result.code !== 0) throw new CommandError(argv, result);
  return result.stdout;
}

/** Runs a program on this terminal and gives its exit code. */
export async function runInteractive(argv: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<number> {
  const [program, ...args] = argv as [string, ...string[]];
  // The terminal sends these to the program as well; it decides, and we report how it ended.
  const ignore = () => {};
  process.on("SIGINT", ignore).on("SIGQUIT", ignore);
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  process.on("SIGTERM", forward).on("SIGHUP", forward);
  const child = spawn(program, args, { stdio: "inherit", env });
  try {
    return await new Promise<number>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (status, signal) => resolve(status ?? 128 + signalNumber(signal)));
    });
  } finally {
    process.off("SIGINT", ignore).off("SIGQUIT", ignore).off("SIGTERM", forward).off("SIGHUP", forward);
  }
}
