import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { access, constants, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { downloadControlPlane, releasedArchives } from "./download.ts";

const MODULE = dirname(fileURLToPath(import.meta.url));
const PROGRESS_MS = 15_000;

export interface ControlPlaneOptions {
  /** Receives one line of progress at a time, also while a long build runs. */
  readonly log?: (line: string) => void;
  /** Where COIL_CACHE, XDG_CACHE_HOME, HOME and PATH are looked up. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Fetch the released binaries, with checked digests, instead of building. Default false. */
  readonly download?: boolean;
  /** Gives up waiting; a build that runs is stopped. */
  readonly signal?: AbortSignal;
}

/**
 * The path of an executable that is a whole Kubernetes control plane: `control-plane kube-apiserver …`, `… etcd`, `… kubectl`.
 * Comes from the cache; else it is built with Go, which takes some minutes once. Throws an `Error` that says what to do.
 */
export async function ensureControlPlane(options: ControlPlaneOptions = {}): Promise<string> {
  const { log = () => {}, env = process.env, signal } = options;
  const directory = join(cacheRoot(env), "control-plane", await moduleDigest());
  const binary = join(directory, "control-plane");
  if (await isExecutable(binary)) return binary;
  await mkdir(directory, { recursive: true });
  await using _lock = await lockBuild(join(directory, "lock"), { log, ...(signal && { signal }) });
  if (await isExecutable(binary)) return binary;
  if (options.download) {
    const version = await kubernetesVersion();
    const archives = releasedArchives(version, process.arch);
    await downloadControlPlane({ archives, binary, directory, version, log, ...(signal && { signal }) });
  } else await build(binary, { log, env, ...(signal && { signal }) });
  return binary;
}

function cacheRoot(env: Readonly<Record<string, string | undefined>>): string {
  const base = env["COIL_CACHE"] || env["XDG_CACHE_HOME"] || join(env["HOME"] || homedir(), ".cache");
  return join(base, "coil");
}

/** What the binary depends on: the three files of the Go module and the processor. */
async function moduleDigest(): Promise<string> {
  const hash = createHash("sha256");
  for (const file of ["go.mod", "go.sum", "main.go"]) hash.update(await readFile(join(MODULE, file)));
  return hash.update(process.arch).digest("hex");
}

async function kubernetesVersion(): Promise<string> {
  const match = /k8s\.io\/kubernetes (v\d+\.\d+\.\d+)/.exec(await readFile(join(MODULE, "go.mod"), "utf8"));
  if (!match?.[1]) throw new Error("lab/control-plane/go.mod does not require k8s.io/kubernetes");
  return match[1];
}

async function build(
  binary: string,
  { log, env, signal }: { log: (line: string) => void; env: Readonly<Record<string, string | undefined>>; signal?: AbortSignal },
): Promise<void> {
  const version = await kubernetesVersion();
  const [major, minor] = version.slice(1).split(".");
  const variables = Object.entries({ gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: "clean" });
  const ldflags = ["-s -w", ...variables.map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)].join(" ");
  const output = `${binary}.new`;
  const flags = ["-trimpath", "-tags", "providerless,nokmem,selinux-none", "-ldflags", ldflags];
  const started = Date.now();
  log(`Building the Kubernetes ${version} control plane with Go: 5 to 15 minutes, once; it is kept in ${dirname(binary)}`);
  const progress = setInterval(() => log(`  still building, ${Math.round((Date.now() - started) / 1000)} s`), PROGRESS_MS);
  try {
    await runGo(["build", ...flags, "-o", output, "."], { env, ...(signal && { signal }) });
    await rename(output, binary);
  } finally {
    clearInterval(progress);
    await rm(output, { force: true });
  }
  log(`Built the control plane in ${Math.round((Date.now() - started) / 1000)} s`);
}

async function runGo(
  args: readonly string[],
  { env, signal }: { env: Readonly<Record<string, string | undefined>>; signal?: AbortSignal },
): Promise<void> {
  const child = spawn("go", args, {
    cwd: MODULE,
    env: { ...env, CGO_ENABLED: "0" },
    stdio: ["ignore", "ignore", "pipe"],
    ...(signal && { signal }),
  });
  let tail = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    tail = (tail + text).slice(-4000);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", (cause: NodeJS.ErrnoException) => {
      if (cause.code !== "ENOENT") return reject(cause);
      reject(
        new Error(
          "Cannot build the control plane: there is no `go` in PATH. Install Go 1.25 or newer, or put etcd and kube-apiserver " +
            "into a directory and name it in KUBEBUILDER_ASSETS, or allow the download of released binaries",
          { cause },
        ),
      );
    });
    child.on("close", resolve);
  });
  if (code !== 0)
    throw new Error(`Cannot build the control plane: go build ended with ${code ?? "a signal"}:\n${tail.trimEnd()}`);
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** One build at a time, also between processes: the file holds the pid of the builder; a dead one's file is taken away. */
async function lockBuild(
  path: string,
  { log, signal }: { log: (line: string) => void; signal?: AbortSignal },
): Promise<AsyncDisposable> {
  for (let waited = 0; ; waited += 1000) {
    try {
      const file = await open(path, "wx");
      await file.writeFile(String(process.pid));
      await file.close();
      return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder = Number(await readFile(path, "utf8").catch(() => ""));
    if (holder > 0 && !isAlive(holder)) await rm(path, { force: true });
    else if (waited % PROGRESS_MS === 0) log(`  waiting for process ${holder}, which builds the control plane`);
    await sleep(1000, undefined, { ...(signal && { signal }) });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
