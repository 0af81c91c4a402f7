import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { createTemporaryDirectory } from "../../test/support/temporary-directory.ts";
import { downloadControlPlane, releasedArchives } from "./download.ts";

const run = promisify(execFile);

/** A web server with an archive of one program that prints its name and arguments. */
async function serveArchive(directory: string) {
  const inner = join(directory, "kubernetes", "server", "bin");
  await mkdir(inner, { recursive: true });
  await writeFile(join(inner, "kube-apiserver"), '#!/bin/sh\necho "apiserver $*"\n', { mode: 0o755 });
  await writeFile(join(inner, "other"), "");
  await run("tar", ["-czf", "archive.tar.gz", "kubernetes"], { cwd: directory });
  const bytes = await readFile(join(directory, "archive.tar.gz"));
  const server = createServer((request, response) => {
    if (request.url === "/archive") response.end(bytes);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    digest: `sha512:${createHash("sha512").update(bytes).digest("hex")}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test("downloaded programs are run by the command line of the built binary; nothing of a wrong archive is used", async () => {
  await using directory = await createTemporaryDirectory("coil-download-");
  await using served = await serveArchive(directory.path);
  const target = join(directory.path, "target");
  const binary = join(target, "control-plane");
  const download = (path: string, digest: string) => {
    const archive = { url: served.url + path, digest, programs: ["kubernetes/server/bin/kube-apiserver"] };
    return downloadControlPlane({ archives: [archive], binary, directory: target, version: "v1.2.3", log: () => {} });
  };
  await assert.rejects(download("/archive", "sha512:00"), /has the sha512 digest [0-9a-f]+ instead of 00: it is not used/);
  await assert.rejects(download("/none", served.digest), /HTTP status 404/);
  assert.deepEqual([await readdir(target), await readdir(join(target, "bin"))], [["bin"], []]);
  await download("/archive", served.digest);
  assert.equal((await run(binary, ["kube-apiserver", "--a", "b c"])).stdout, "apiserver --a b c\n");
  assert.equal((await run(binary, ["version"])).stdout, "v1.2.3\n");
  assert.deepEqual(
    [(await readdir(target)).sort(), await readdir(join(target, "bin"))],
    [["bin", "control-plane"], ["kube-apiserver"]],
  );
});

test("the digests are those of the release that go.mod names", async () => {
  const version = /k8s\.io\/kubernetes (v\S+)/.exec(await readFile(new URL("go.mod", import.meta.url), "utf8"))?.[1] ?? "";
  for (const arch of ["x64", "arm64"]) assert.equal(releasedArchives(version, arch).length, 2);
  assert.throws(() => releasedArchives(version, "s390x"), /build the control plane with Go/);
  assert.throws(() => releasedArchives("v1.0.0", "x64"), /go\.mod says v1\.0\.0/);
});
