import { type ChildProcess, spawn } from "node:child_process";
import { open, readFile } from "node:fs/promises";

/** A server that a test runs. The kernel kills it when this process dies, however that happens. */
export interface ServerProcess extends AsyncDisposable {
  readonly pid: number;
  /** Undefined while it runs. */
  readonly exit: string | undefined;
  signal(signal: NodeJS.Signals): void;
  /** Sends the signal and waits for the end; kills after `graceMs`. */
  stop(signal?: NodeJS.Signals, graceMs?: number): Promise<void>;
  /** The last lines of its output. */
  tail(): Promise<string>;
}

export interface ServerProcessOptions {
  readonly command: readonly string[];
  readonly cwd: string;
  /** Receives standard output and error, appended. */
  readonly logFile: string;
}

/** Starts it; throws when the program cannot be executed. */
export async function startServerProcess({ command, cwd, logFile }: ServerProcessOptions): Promise<ServerProcess> {
  await using log = await open(logFile, "a");
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", ...command], { cwd, stdio: ["ignore", log.fd, log.fd] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  await new Promise((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  child.unref();
  const stop = async (signal: NodeJS.Signals, graceMs: number) => {
    if (exitOf(child) !== undefined) return;
    child.ref();
    child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
    await ended;
    clearTimeout(timer);
  };
  return {
    pid: child.pid ?? 0,
    get exit() {
      return exitOf(child);
    },
    signal: (signal) => void child.kill(signal),
    stop: (signal = "SIGTERM", graceMs = 10_000) => stop(signal, graceMs),
    tail: async () => (await readFile(logFile, "utf8")).split("\n").slice(-15).join("\n"),
    [Symbol.asyncDispose]: () => stop("SIGKILL", 1000),
  };
}

function exitOf(child: ChildProcess): string | undefined {
  if (child.exitCode !== null) return `exit code ${child.exitCode}`;
  return child.signalCode === null ? undefined : `signal ${child.signalCode}`;
}
