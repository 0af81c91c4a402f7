import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { buildPlugin } from "./build.ts";
import { cacheFolder } from "./cache.ts";

const VERSION = { cniVersion: "1.1.0", supportedVersions: ["0.3.1", "0.4.0", "1.0.0", "1.1.0"] };
const runVersion = (path: string) => JSON.parse(execFileSync(path, { env: { CNI_COMMAND: "VERSION" }, input: "" }).toString());

async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), "coil-build-test-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

test("buildPlugin() makes one small static file, and says nothing when it is there already", async () => {
  await using folder = await temporaryFolder();
  const output = join(folder.path, "coil");
  await buildPlugin({ log: () => {}, output });
  const lines: string[] = [];
  assert.equal(await buildPlugin({ log: (line) => lines.push(line), output }), output);
  assert.deepEqual(lines, []);
  const bytes = await readFile(output);
  assert.equal(bytes.toString("latin1", 1, 4), "ELF");
  // The name of a dynamic loader is what a static file lacks.
  assert.ok(!bytes.includes("/ld-linux"), "not static");
  assert.ok(bytes.length < 3_000_000, `${bytes.length} bytes`);
  assert.deepEqual(runVersion(output), VERSION);
});

test("buildPlugin() replaces a file that is running or was tampered with", async () => {
  await using folder = await temporaryFolder();
  const output = join(folder.path, "coil");
  await buildPlugin({ log: () => {}, output });
  const before = await stat(output);
  execFileSync("truncate", ["-s", "1000", output]);
  await buildPlugin({ log: () => {}, output });
  assert.notEqual((await stat(output)).ino, before.ino);
  assert.deepEqual(runVersion(output), VERSION);
});

test("buildPlugin() falls back to Node where nothing can be had, and warns", async () => {
  await using folder = await temporaryFolder();
  const lines: string[] = [];
  const env = { COIL_CACHE: join(folder.path, "cache"), PATH: folder.path };
  const output = await buildPlugin({ log: (line) => lines.push(line), env, output: join(folder.path, "coil") });
  assert.match(lines.join("\n"), /WARNING: Cannot get QuickJS: .*Install Debian's packages quickjs and libquickjs/s);
  assert.deepEqual(runVersion(output), VERSION);
});

test("buildPlugin() falls back to Node where the C compiler cannot link", async () => {
  await using folder = await temporaryFolder();
  await buildPlugin({ log: () => {}, output: join(folder.path, "real") });
  const quickJs = join(cacheFolder(process.env), "quickjs");
  if (existsSync(quickJs)) await cp(quickJs, join(folder.path, "coil/quickjs"), { recursive: true, verbatimSymlinks: true });
  await writeFile(join(folder.path, "cc"), "#!/bin/sh\necho 'cannot find -lc' >&2; exit 1\n", { mode: 0o755 });
  const lines: string[] = [];
  const env = { ...process.env, COIL_CACHE: folder.path, PATH: `${folder.path}:${process.env["PATH"]}` };
  const output = await buildPlugin({ log: (line) => lines.push(line), env, output: join(folder.path, "out") });
  assert.match(lines.join("\n"), /WARNING: Cannot compile the plugin: .*cannot find -lc.*gcc and libc6-dev/s);
  assert.deepEqual(runVersion(output), VERSION);
});
