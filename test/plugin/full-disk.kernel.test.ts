import assert from "node:assert/strict";
import test from "node:test";
import { type PluginForm, runCoil, staticForm } from "../support/run-coil.ts";
import { createTemporaryDirectory } from "../support/temporary-directory.ts";

/** Runs the plugin in a mount namespace where its folder is a full file system, and lists the folder's files afterwards on stderr. */
const SCRIPT = `
mount -t tmpfs -o size=4k none "$1" && mkdir "$1/coild.pending" && head -c 4096 /dev/zero >"$1/fill" || exit 9
folder=$1; shift
"$@"; code=$?
find "$folder" -type f >&2
exit $code`;

test("a DEL on a full disk fails with 11, and leaves no half of a file", async () => {
  await using directory = await createTemporaryDirectory("coil-full-disk-");
  const { command } = await staticForm();
  const form: PluginForm = {
    name: "full disk",
    command: ["unshare", "--mount", "sh", "-c", SCRIPT, "sh", directory.path, ...command],
  };
  const input = { cniVersion: "1.1.0", name: "net", type: "coil", socket: `${directory.path}/coild.sock` };
  const env = { PATH: process.env["PATH"] ?? "", CNI_COMMAND: "DEL", CNI_CONTAINERID: "c1", CNI_IFNAME: "eth0" };
  const { code, output, errorText } = await runCoil(form, { env, input });
  assert.deepEqual([code, output?.code], [1, 11], errorText);
  assert.match(output?.msg ?? "", /^Cannot reach coild at .*, and the DEL cannot be kept for later$/);
  assert.match(output?.details ?? "", /No space left on device/);
  assert.equal(errorText.trim(), `${directory.path}/fill`);
});
