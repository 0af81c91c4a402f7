import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { labNamespaces, labProcesses } from "../../lab/cluster/sweep.ts";
import { tryCommand } from "../../lab/machine/command.ts";
import { requireNoLab } from "../support/lab.ts";

test("`npm run lab` shows that all of it holds, and leaves nothing behind", async () => {
  requireNoLab();
  const { code, stdout, stderr } = await tryCommand(["npm", "run", "--silent", "lab"], { env: { ...process.env } });
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  for (const line of [
    /✓ pods in two namespaces, on every node: 12 run/,
    /coil-worker2 +edge\/demo-\S+ +global +global-\d+ +198\.51\.100\.\d+ 2001:db8:51::/,
    /✓ every pod pings every other, in all families: 264 pings answered/,
    /ip -6 route show table 119/,
    /default-0 +coil-\S+ +default +10\.100\.0\.\d+\/27 +fd10:100::/,
    /✓ kubectl delete of everything leaves nothing behind/,
    /All of it held/,
  ]) {
    assert.match(stdout, line);
  }
  assert.deepEqual(labNamespaces(), []);
  assert.deepEqual(labProcesses([]), []);
  assert.equal(existsSync("/run/coil-lab"), false);
});
