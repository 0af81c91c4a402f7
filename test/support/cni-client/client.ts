import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { cacheFolder, fillFolder } from "../../../plugin/cache.ts";
import { CommandError, runCommand } from "../../../plugin/run-command.ts";

const MODULE = dirname(fileURLToPath(import.meta.url));

/** What a container runtime wants of a network. */
export interface RuntimeRequest {
  readonly command: "ADD" | "CHECK" | "DEL" | "GC" | "STATUS" | "VALIDATE" | "VERSION";
  /** A network configuration list: cniVersion, name, plugins. */
  readonly confList: object;
  /** Folders of plugin binaries. */
  readonly binDirs: readonly string[];
  /** Where libcni keeps results between calls. */
  readonly cacheDir: string;
  readonly containerId?: string;
  readonly netns?: string;
  readonly ifname?: string;
  readonly args?: readonly (readonly [string, string])[];
  readonly capabilityArgs?: object;
  readonly validAttachments?: readonly { containerID: string; ifname: string }[];
}

/** What libcni answered: the final result, or the error of the plugin that failed; code 0 is an error of libcni itself. */
export interface RuntimeAnswer {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly msg: string; readonly details?: string };
}

/**
 * A real CNI client: libcni, the library of containerd, CRI-O and podman. Builds it with Go at the first use; it is kept in the cache.
 * `host` is the path of the network namespace that the client and its plugins are in, instead of this process's.
 */
export async function callRuntime(request: RuntimeRequest, { host }: { host?: string } = {}): Promise<RuntimeAnswer> {
  const client = await ensureClient();
  const [program, ...args] = host === undefined ? [client] : ["nsenter", `--net=${host}`, client];
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(JSON.stringify(request));
  return JSON.parse(await text(child.stdout)) as RuntimeAnswer;
}

async function ensureClient(): Promise<string> {
  const hash = createHash("sha256").update(process.arch);
  for (const file of ["go.mod", "go.sum", "main.go"]) hash.update(await readFile(join(MODULE, file)));
  const folder = join(cacheFolder(process.env), "cni-client", hash.digest("hex"));
  if (!existsSync(folder)) await fillFolder(folder, build);
  return join(folder, "cni-client");
}

async function build(folder: string): Promise<void> {
  const flags = ["-trimpath", "-ldflags=-s -w", "-o", join(folder, "cni-client"), "."];
  try {
    await runCommand("go", ["build", ...flags], {
      cwd: MODULE,
      env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=readonly" },
    });
  } catch (error) {
    if (!(error instanceof CommandError) || !error.missing) throw error;
    throw new Error("The CNI client of the tests is built with Go, which is not in PATH: install Go 1.21 or later", {
      cause: error,
    });
  }
}
