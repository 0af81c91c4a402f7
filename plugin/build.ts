import { createHash } from "node:crypto";
import { chmod, copyFile, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleHost } from "./bundle.ts";
import { cacheFolder, fillFolder } from "./cache.ts";
import { compile, NoCompilerError, RECIPE } from "./compile.ts";
import { findQuickJs, NoQuickJsError } from "./quickjs.ts";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const SOURCES = join(ROOT, "plugin/host");

export interface PluginOptions {
  /** Receives one line at a time; nothing is said when all is there already. */
  readonly log: (line: string) => void;
  /** Where COIL_CACHE, XDG_CACHE_HOME, HOME and PATH are looked up. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Where the executable goes. Default `build/coil` of the project. */
  readonly output?: string;
  readonly signal?: AbortSignal;
}

/**
 * Makes the executable `coil`: one static file, compiled by QuickJS, from the cache if its sources did not change. Where QuickJS or a C
 * compiler cannot be had it becomes a script that runs the plugin in Node, which is good for the lab only; the log says so. Answers the
 * path. Throws an `Error` if the sources do not compile.
 */
export async function buildPlugin(options: PluginOptions): Promise<string> {
  const { log, env = process.env, output = join(ROOT, "build/coil"), signal } = options;
  signal?.throwIfAborted();
  await mkdir(dirname(output), { recursive: true });
  const bundle = await bundleHost(ROOT);
  const folder = join(cacheFolder(env), "plugin", await digest(bundle));
  const kept = await readFile(join(folder, "coil")).catch(() => undefined);
  const current = await readFile(output).catch(() => undefined);
  if (kept && current?.equals(kept)) return output;
  try {
    if (!kept) await compileInto(folder, bundle, { log, env, ...(signal && { signal }) });
    await copyFile(join(folder, "coil"), `${output}.new`);
  } catch (error) {
    if (!isMissingTool(error)) throw error;
    log(`WARNING: ${error.message}`);
    log("WARNING: the plugin will run in Node: good enough for the lab, but it takes 100 ms a call and needs this checkout");
    await writeFile(`${output}.new`, nodeScript());
  }
  await replace(output);
  return output;
}

async function compileInto(
  folder: string,
  bundle: string,
  { log, env, signal }: { log: (line: string) => void; env: Readonly<Record<string, string | undefined>>; signal?: AbortSignal },
): Promise<void> {
  const options = { env, ...(signal && { signal }) };
  const quickJs = await findQuickJs(cacheFolder(env), { ...options, log });
  const started = performance.now();
  await fillFolder(folder, (unfinished) =>
    compile({ quickJs, sources: SOURCES, bundle, output: join(unfinished, "coil") }, options),
  );
  log(`Compiled the plugin coil with QuickJS in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

/** Puts the new file in place at once: the old one may be running. */
async function replace(output: string): Promise<void> {
  try {
    await chmod(`${output}.new`, 0o755);
    await rename(`${output}.new`, output);
  } finally {
    await rm(`${output}.new`, { force: true });
  }
}

/** What the executable depends on. */
async function digest(bundle: string): Promise<string> {
  const hash = createHash("sha256").update(`${RECIPE} ${process.arch}\n`).update(bundle);
  for (const name of ["socket.c", "older-glibc.c"]) hash.update(await readFile(join(SOURCES, name)));
  return hash.digest("hex");
}

function isMissingTool(error: unknown): error is Error {
  return error instanceof NoQuickJsError || error instanceof NoCompilerError;
}

function nodeScript(): string {
  const quote = (path: string) => `'${path.replaceAll("'", "'\\''")}'`;
  return `#!/bin/sh
# The plugin in Node, because QuickJS or a C compiler was missing when it was built.
exec ${quote(process.execPath)} ${quote(join(ROOT, "bin/coil.ts"))}
`;
}

if (import.meta.main) console.log(await buildPlugin({ log: (line) => console.error(`==> ${line}`) }));
