import assert from "node:assert/strict";
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createTemporaryDirectory } from "../../test/support/temporary-directory.ts";
import { ensureControlPlane } from "./build.ts";

/** An environment whose `go` is the given shell script; `$out` is the file that go shall make. */
async function withGo(directory: string, script: string) {
  const bin = join(directory, "bin");
  await mkdir(bin, { recursive: true });
  const go = join(bin, "go");
  await writeFile(go, `#!/bin/sh\necho build >> ${directory}/calls\nwhile [ "$1" != -o ]; do shift; done; out=$2\n${script}\n`);
  await chmod(go, 0o755);
  return { COIL_CACHE: join(directory, "cache"), PATH: `${bin}:/usr/bin:/bin`, HOME: directory };
}

test("the control plane is built once, also when two want it at the same time, and then comes from the cache", async () => {
  await using directory = await createTemporaryDirectory("coil-build-");
  const env = await withGo(
    directory.path,
    'sleep 0.3; echo "#!/bin/sh" > $out; chmod +x $out; echo CGO=$CGO_ENABLED >> $HOME/calls',
  );
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  const paths = await Promise.all([ensureControlPlane({ env, log }), ensureControlPlane({ env, log })]);
  paths.push(await ensureControlPlane({ env, log }));
  assert.equal(new Set(paths).size, 1);
  assert.match(paths[0] ?? "", /\/cache\/coil\/control-plane\/[0-9a-f]{64}\/control-plane$/);
  assert.equal(await readFile(join(directory.path, "calls"), "utf8"), "build\nCGO=0\n");
  assert.deepEqual(await readdir(join(paths[0] ?? "", "..")), ["control-plane"]);
  assert.match(lines.join("\n"), /Building the Kubernetes v1\.\d+\.\d+ control plane with Go.*Built the control plane in/s);
});

test("a build that fails says what go said, and leaves nothing half made", async () => {
  await using directory = await createTemporaryDirectory("coil-build-");
  const env = await withGo(directory.path, "echo half > $out; echo 'main.go:1: no such package' >&2; exit 3");
  await assert.rejects(ensureControlPlane({ env }), /go build ended with 3:\nmain\.go:1: no such package/);
  const [digest = ""] = await readdir(join(env.COIL_CACHE, "coil", "control-plane"));
  assert.deepEqual(await readdir(join(env.COIL_CACHE, "coil", "control-plane", digest)), []);
});

test("without go the error says what to do", async () => {
  await using directory = await createTemporaryDirectory("coil-build-");
  const env = { COIL_CACHE: directory.path, PATH: directory.path };
  await assert.rejects(ensureControlPlane({ env }), /there is no `go` in PATH\. Install Go .* KUBEBUILDER_ASSETS/);
});

test("the lock of a builder who died is taken away", async () => {
  await using directory = await createTemporaryDirectory("coil-build-");
  const env = await withGo(directory.path, "exit 1");
  await assert.rejects(ensureControlPlane({ env }));
  const [digest = ""] = await readdir(join(env.COIL_CACHE, "coil", "control-plane"));
  await writeFile(join(env.COIL_CACHE, "coil", "control-plane", digest, "lock"), "4194304");
  await withGo(directory.path, "echo > $out; chmod +x $out");
  await ensureControlPlane({ env });
});
