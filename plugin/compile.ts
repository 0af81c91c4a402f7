import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { QuickJs } from "./quickjs.ts";
import { type CommandOptions, runCommand } from "./run-command.ts";

/** Changes whenever the commands below do: part of the key under which results are kept. */
export const RECIPE = "1";

/** There is no C compiler that can make a static program; the message says what to do. */
export class NoCompilerError extends Error {
  override readonly name = "NoCompilerError";
}

/** Compiles the bundle to one static file at `output`. Throws {@link NoCompilerError}, and an `Error` with what a compiler said. */
export async function compile(
  { quickJs, sources, bundle, output }: { quickJs: QuickJs; sources: string; bundle: string; output: string },
  options: CommandOptions = {},
): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), "coil-plugin-"));
  const inWork = { ...options, cwd: work };
  const [qjsc, ...first] = quickJs.qjsc;
  try {
    await requireCompiler(inWork);
    await writeFile(join(work, "coil.js"), bundle);
    // -e: with a main(), -m: a module, -s: without debug information, -M: a module in C and the name of its init function.
    await runCommand(qjsc, [...first, "-e", "-m", "-s", "-M", "socket,socket", "-o", "coil.c", "coil.js"], inWork);
    for (const name of ["socket", "older-glibc"]) {
      const strict = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-isystem", quickJs.include];
      await runCommand("cc", [...strict, "-c", join(sources, `${name}.c`), "-o", `${name}.o`], inWork);
    }
    const objects = ["coil.c", "socket.o", "older-glibc.o", quickJs.library];
    await runCommand(
      "cc",
      ["-O2", "-static", "-s", "-isystem", quickJs.include, ...objects, "-lm", "-ldl", "-lpthread", "-o", output],
      inWork,
    );
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  const answer = await runCommand(output, [], { ...options, env: { CNI_COMMAND: "VERSION" } });
  if (!answer.includes('"supportedVersions"')) throw new Error(`The compiled plugin does not work: VERSION gave ${answer}`);
}

async function requireCompiler(options: CommandOptions & { readonly cwd: string }): Promise<void> {
  await writeFile(join(options.cwd, "probe.c"), "#include <stdlib.h>\nint main(void) { return EXIT_SUCCESS; }\n");
  try {
    await runCommand("cc", ["-static", "probe.c", "-o", "probe"], options);
  } catch (cause) {
    options.signal?.throwIfAborted();
    const advice = "Install a C compiler and the C library for static linking (Debian: gcc and libc6-dev)";
    throw new NoCompilerError(`Cannot compile the plugin: ${(cause as Error).message}. ${advice}`, { cause });
  }
}
