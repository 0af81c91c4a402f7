import { readFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../../test/support/eventually.ts";
import { freePort } from "../../test/support/free-port.ts";
import { type ServerProcess, startServerProcess } from "../../test/support/server-process.ts";

/** One of our programs, as a process of its own. */
export interface BenchProgram extends AsyncDisposable {
  readonly server: ServerProcess;
  /** What `/metrics` gives. */
  metrics(): Promise<string>;
  /** CPU time so far, ms. */
  cpuMs(): number;
  /** What is resident now, what of it is its own, and the most there ever was, in MB. */
  memory(): { readonly resident: number; readonly anonymous: number; readonly most: number };
}

/** What to start. */
export interface ProgramOptions {
  /** The bundle. */
  readonly file: string;
  readonly name: string;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
}

/** Clock ticks of /proc, a fixed part of the kernel's interface. */
const MS_PER_TICK = 10;
const READY_MS = 30_000;

/** Starts it and waits until it is ready. Throws an `Error` with the end of its log. */
export async function startProgram({ file, name, folder, env, flags = [] }: ProgramOptions): Promise<BenchProgram> {
  const [metricsPort, healthPort] = [await freePort(), await freePort()];
  const assignments = Object.entries(env).map(([key, value]) => `${key}=${value}`);
  const server = await startServerProcess({
    command: [
      ...["env", ...assignments, process.execPath, file, ...flags],
      ...[`--metrics-addr=127.0.0.1:${metricsPort}`, `--health-addr=127.0.0.1:${healthPort}`],
    ],
    cwd: folder,
    logFile: join(folder, `${name}.log`),
  });
  const read = (port: number, path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  try {
    await eventually(`${name} is ready`, READY_MS, async () => {
      if (server.exit !== undefined) throw new Error(`${name} ended: ${server.exit}`);
      return (await read(healthPort, "/readyz").catch(() => undefined))?.status === 200;
    });
  } catch (error) {
    const tail = await server.tail();
    await server.stop("SIGKILL");
    throw new Error(`Cannot start ${name}:\n${tail}`, { cause: error });
  }
  const status = (field: string) => {
    const text = readFileSync(`/proc/${server.pid}/status`, "utf8");
    return (Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(text)?.[1]) * 1024) / 1e6;
  };
  return {
    server,
    metrics: async () => (await read(metricsPort, "/metrics")).text(),
    cpuMs() {
      // The name in parentheses may hold blanks.
      const fields = readFileSync(`/proc/${server.pid}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ");
      return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
    },
    memory: () => ({ resident: status("VmRSS"), anonymous: status("RssAnon"), most: status("VmHWM") }),
    [Symbol.asyncDispose]: () => server.stop("SIGTERM"),
  };
}
