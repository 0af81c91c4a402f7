import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { LAB_DIRECTORY, LAB_STATE } from "../../lab/cluster/layout.ts";
import { labNamespaces, labProcesses } from "../../lab/cluster/sweep.ts";
import { CHECKOUT } from "../../lab/commands/checkout.ts";
import { tryCommand } from "../../lab/machine/command.ts";
import { namespacePath } from "../../lab/machine/namespace.ts";
import { coilLab, requireNoLab, tryCoilLab } from "../support/lab.ts";

const COIL_LAB = join(CHECKOUT, "lab", "coil-lab.ts");

beforeEach(requireNoLab);

test("commands without a lab say what to do, and `down` is content", async () => {
  for (const command of [
    ["status"],
    ["kubectl", "--", "get", "nodes"],
    ["exec", "coil-worker", "--", "true"],
    ["logs", "coil-worker", "coild"],
  ]) {
    const { code, stderr } = await tryCoilLab(...command);
    assert.deepEqual([code, stderr], [1, "coil-lab: There is no lab on this machine: run coil-lab up\n"]);
  }
  assert.equal(await coilLab("down"), "There is no lab on this machine\n");
});

test("somebody who is not root is told so", async () => {
  const argv = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", COIL_LAB, "up"];
  const { code, stderr } = await tryCommand(argv);
  // A checkout below /root cannot even be read by others.
  if (stderr.startsWith("coil-lab:")) assert.match(stderr, /^coil-lab: Run it as root, for example with sudo/);
  assert.notEqual(code, 0);
});

test("an `up` that was killed is begun anew by the next one", async () => {
  const cutOff = spawn(COIL_LAB, ["up", "--nodes", "2"], { stdio: "ignore" });
  while (!existsSync(join(LAB_DIRECTORY, "etcd"))) await sleep(50);
  cutOff.kill("SIGKILL");
  const { code, stderr } = await tryCoilLab("status");
  assert.deepEqual([code, stderr], [1, "coil-lab: The lab is not complete (the last up did not end): run coil-lab up\n"]);
  assert.match(await coilLab("up", "--nodes", "2"), /Removing what is left of a lab: the last up did not end/);
  await coilLab("status");
  await coilLab("down");
  assert.deepEqual([labNamespaces(), labProcesses([])], [[], []]);
});

test("what is left of a lab of before a restart of the machine is taken away", async () => {
  // After a restart /run may still hold files; names of namespaces are then plain files.
  const state = {
    nodes: 2,
    family: "dual",
    checkout: CHECKOUT,
    bootId: "another",
    phase: "up",
    startedAt: "2026-01-01T00:00:00Z",
  };
  mkdirSync(LAB_DIRECTORY, { recursive: true });
  writeFileSync(LAB_STATE, JSON.stringify(state));
  writeFileSync(namespacePath("coil-worker"), "");
  const { code, stderr } = await tryCoilLab("status");
  assert.deepEqual([code, stderr], [1, "coil-lab: The lab is not complete (the machine was restarted since): run coil-lab up\n"]);
  await coilLab("down");
  assert.deepEqual([labNamespaces(), existsSync(LAB_DIRECTORY)], [[], false]);
});
