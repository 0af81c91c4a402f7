import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, loadavg, release, totalmem } from "node:os";

/** What the figures were measured on. */
export interface Machine {
  readonly cpu: string;
  readonly cpus: number;
  readonly architecture: string;
  readonly memoryGB: number;
  readonly kernel: string;
  readonly system: string;
  readonly node: string;
  /** Commit of the sources; `-dirty` when files differed from it. */
  readonly revision: string;
  /** Version of Debian's package of CNI plugins, the peers. */
  readonly peers: string;
  /** Processes that wanted to run in the minute before: other work on the machine shows here. */
  readonly loadBefore: number;
}

/** Describes this machine as it is now. */
export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cpus: availableParallelism(),
    architecture: arch(),
    memoryGB: Math.round(totalmem() / 1e9),
    kernel: release(),
    system: systemName(),
    node: process.version,
    revision: output("git", ["describe", "--always", "--dirty"]),
    peers: packageVersion("containernetworking-plugins"),
    loadBefore: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}

function systemName(): string {
  const text = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  return /^PRETTY_NAME="?([^"\n]+)/m.exec(text)?.[1] ?? "Linux";
}

function packageVersion(name: string): string {
  return `${name} ${output("dpkg-query", ["-W", `-f=$\{Version}`, name])}`;
}

function output(program: string, args: readonly string[]): string {
  try {
    return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "unknown";
  }
}
