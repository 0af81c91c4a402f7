import { constants, existsSync, globSync, readFileSync } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { unpackPackages } from "./apt-download.ts";
import { fillFolder } from "./cache.ts";
import { type CommandOptions, runCommand } from "./run-command.ts";

/** The compiler from JavaScript to C, and what its output is linked with. */
export interface QuickJs {
  /** The command and its first arguments. */
  readonly qjsc: readonly [string, ...string[]];
  readonly include: string;
  readonly library: string;
}

/** QuickJS cannot be had on this machine; the message says why and what to do. */
export class NoQuickJsError extends Error {
  override readonly name = "NoQuickJsError";
}

/** The release whose packages work on those that have none of their own. */
const FALLBACK_RELEASE: Readonly<Record<string, string>> = { bookworm: "trixie" };

/** QuickJS as installed, from the cache, or from the distribution's packages. Throws {@link NoQuickJsError}. */
export async function findQuickJs(
  cache: string,
  { log, ...options }: CommandOptions & { readonly log: (line: string) => void },
): Promise<QuickJs> {
  const installed = await quickJsBelow("/", options);
  if (installed) return installed;
  const codename = releaseCodename();
  const to = FALLBACK_RELEASE[codename] ?? codename;
  try {
    const architecture = (await runCommand("dpkg", ["--print-architecture"], options)).trim();
    const folder = join(cache, "quickjs", `${to}-${architecture}`);
    if (!existsSync(folder)) {
      log(`Fetching QuickJS from the Debian packages of ${to}, once; it is kept in ${folder}`);
      // Programs of a later release need its C library; to bring it is harmless where this is the same release.
      const packages = ["quickjs", "libquickjs", "libc6"];
      await fillFolder(folder, (unfinished) =>
        unpackPackages({ packages, release: { from: codename, to }, folder: unfinished }, options),
      );
    }
    const found = await quickJsBelow(folder, options);
    if (found) return found;
    throw new Error(`The packages quickjs and libquickjs of ${to} are in ${folder}, but do not work here`);
  } catch (cause) {
    options.signal?.throwIfAborted();
    const advice = "Install Debian's packages quickjs and libquickjs (in Debian since trixie), or see that apt-get works";
    throw new NoQuickJsError(`Cannot get QuickJS: ${(cause as Error).message}. ${advice}`, { cause });
  }
}

/** What is unpacked or installed below a folder, if it is complete and works. */
async function quickJsBelow(root: string, options: CommandOptions): Promise<QuickJs | undefined> {
  const folders = root === "/" ? ((options.env ?? process.env)["PATH"]?.split(delimiter) ?? []) : [join(root, "usr/bin")];
  const [library] = globSync(
    ["usr/lib/*/quickjs/libquickjs.a", "usr/lib/quickjs/libquickjs.a", "usr/local/lib/quickjs/libquickjs.a"],
    { cwd: root },
  );
  const include = ["usr/include/quickjs", "usr/local/include/quickjs"].find((path) =>
    existsSync(join(root, path, "quickjs-libc.h")),
  );
  if (library === undefined || include === undefined) return undefined;
  for (const folder of folders) {
    const program = join(folder, "qjsc");
    if (!(await isExecutable(program))) continue;
    for (const qjsc of [[program], throughLoader(root, program)] as const) {
      if (qjsc && (await works(qjsc, options))) return { qjsc, include: join(root, include), library: join(root, library) };
    }
  }
  return undefined;
}

/** The command that runs a program with the C library that was unpacked beside it, instead of this machine's. */
function throughLoader(root: string, program: string): readonly [string, ...string[]] | undefined {
  const [loader] = root === "/" ? [] : globSync("usr/lib/*/ld-linux*.so.*", { cwd: root });
  if (loader === undefined) return undefined;
  const path = join(root, loader);
  return [path, "--library-path", join(path, ".."), program];
}

/** Whether it is the compiler of the original QuickJS, 2025 or later: earlier ones lack options, quickjs-ng has another interface. */
async function works([command, ...first]: readonly [string, ...string[]], options: CommandOptions): Promise<boolean> {
  // It answers -h with exit code 1.
  const text = await runCommand(command, [...first, "-h"], options).catch((error: Error) => error.message);
  return /QuickJS Compiler version 20(2[5-9]|[3-9][0-9])/.test(text);
}

function releaseCodename(): string {
  const text = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  return /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(text)?.[1] ?? "unknown";
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
