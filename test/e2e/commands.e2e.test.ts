import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, existsSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { LAB_DIRECTORY } from "../../lab/cluster/layout.ts";
import { labNamespaces, labProcesses } from "../../lab/cluster/sweep.ts";
import { CHECKOUT } from "../../lab/commands/checkout.ts";
import { allOthers, pingAll } from "../../lab/demo/reachability.ts";
import { runCommand, tryCommand } from "../../lab/machine/command.ts";
import { identify } from "../../lab/machine/process.ts";
import { listPrograms } from "../../lab/programs/record.ts";
import { eventually } from "../support/eventually.ts";
import { coilLab, startLab, type TestLab, tryCoilLab } from "../support/lab.ts";
import { addressPool, deployment, namespace } from "../support/lab-objects.ts";
import { createTemporaryDirectory } from "../support/temporary-directory.ts";

const COIL_LAB = join(CHECKOUT, "lab", "coil-lab.ts");

let lab: TestLab;
before(async () => {
  lab = await startLab({ nodes: 2, family: "dual" });
  await lab.kubectl.apply([
    addressPool("default", 2, { ipv4: "10.100.0.0/24", ipv6: "fd10:100::/120" }),
    namespace("app"),
    deployment("app", "app", 4),
  ]);
});
after(() => lab?.[Symbol.asyncDispose]());

const processes = () => listPrograms(lab.plan.nodes.map(({ name }) => name)).map((record) => record.process);

/** Pods whose node was mended get their networks again soon after `up` is done. */
async function assertConnected(): Promise<void> {
  let last: readonly string[] = [];
  await eventually("all pods reach each other", 20_000, async () => {
    const pods = await lab.pods("app", 4);
    last = (await pingAll(pods, allOthers(pods))).failures;
    return last.length === 0;
  }).catch((error: unknown) => assert.fail(`${(error as Error).message}\n${last.join("\n")}`));
}

test("`up` of a lab that is up changes nothing", async () => {
  const before = processes();
  assert.match(await coilLab("up"), /A lab of 2 nodes \(dual\) is up already/);
  assert.deepEqual(processes(), before);
  await assertConnected();
  const { code, stderr } = await tryCoilLab("up", "--nodes", "5");
  assert.deepEqual(
    [code, stderr],
    [1, "coil-lab: A lab of 2 nodes (dual) is up: run coil-lab down first, to have another one\n"],
  );
});

test("another checkout is told who has the lab, and leaves it alone", async () => {
  await using other = await createTemporaryDirectory("coil-lab-");
  for (const part of ["bin", "lab", "manifests", "plugin", "src", "tools", "package.json"]) {
    cpSync(join(CHECKOUT, part), join(other.path, part), { recursive: true });
  }
  symlinkSync(join(CHECKOUT, "node_modules"), join(other.path, "node_modules"));
  for (const command of ["up", "down", "status"]) {
    const { code, stderr } = await tryCommand([join(other.path, "lab", "coil-lab.ts"), command]);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`There is one lab a machine, and ${CHECKOUT} has it up \\(2 nodes`));
  }
  await assertConnected();
});

test("`up` mends a lab whose processes were all killed", async () => {
  for (const { pid } of labProcesses(labNamespaces())) process.kill(pid, "SIGKILL");
  const { code, stdout } = await tryCoilLab("status");
  assert.equal(code, 1);
  assert.match(stdout, /something is wrong/);
  assert.match(await coilLab("up"), /is up already: starting .*coil-worker\/coild/);
  await coilLab("status");
  await assertConnected();
});

test("`up` mends a node that lost its namespace, and its pods get networks again", async () => {
  await runCommand(["ip", "netns", "delete", "coil-worker"]);
  await coilLab("up");
  await coilLab("status");
  await assertConnected();
});

test("commands for what is not there name what there is", async () => {
  const said = async (...args: string[]) => (await tryCoilLab(...args)).stderr;
  assert.match(
    await said("exec", "coil-worker7", "--", "true"),
    /no node coil-worker7; there are coil-control-plane, coil-worker\n/,
  );
  assert.match(
    await said("kill", "coil-worker", "etcd"),
    /no program etcd on coil-worker; there are coil-ipam-controller, coil-router, coild/,
  );
  assert.match(await said("pod-exec", "app/none", "--", "true"), /No node runs a pod app\/none/);
});

test("commands in nodes, pods and outside give the exit code, the network and the name of the place", async () => {
  assert.equal((await tryCoilLab("exec", "coil-worker", "--", "sh", "-c", "exit 7")).code, 7);
  assert.match(await coilLab("exec", "coil-worker", "--", "cat", "/sys/class/net/eth0/operstate"), /^up\n/);
  assert.match(await coilLab("outside", "--", "ip", "-br", "address"), /203\.0\.113\.10\/24 2001:db8::a\/64/);
  await coilLab("outside", "--", "ping", "-c1", "-W2", "172.30.0.3");
  const [pod] = await lab.pods("app", 4);
  assert.ok(pod);
  assert.equal(await lab.inPod(pod, "hostname"), `${pod.name}\n`);
  assert.match(await coilLab("logs", "coil-worker", "coild", "--tail", "5"), /"program":"coild"/);
});

test("`down` ends what people started in the lab, too", async () => {
  const stray = spawn(COIL_LAB, ["exec", "coil-worker", "--", "sleep", "600"], { stdio: "ignore", detached: true });
  const inNode = async () => (await runCommand(["ip", "netns", "pids", "coil-worker"])).trim().split("\n").length;
  const known = await inNode();
  while ((await inNode()) <= known) await sleep(50);
  await lab[Symbol.asyncDispose]();
  assert.deepEqual([labNamespaces(), labProcesses([]), existsSync(LAB_DIRECTORY)], [[], [], false]);
  assert.equal(identify(stray.pid ?? 0), undefined);
});
