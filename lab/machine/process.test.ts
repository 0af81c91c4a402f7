import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { endProcesses, findProcesses, identify, isAlive, signalProcess, waitForEnd } from "./process.ts";

function sleeper(command: readonly string[] = ["sleep", "60"], env: Record<string, string> = {}) {
  const [program, ...args] = command as [string, ...string[]];
  const child = spawn(program, args, { stdio: "ignore", env: { ...process.env, ...env } });
  const identity = identify(child.pid ?? 0);
  assert.ok(identity);
  return Object.assign(identity, { [Symbol.dispose]: () => void child.kill("SIGKILL") });
}

test("a pid that belongs to another process by now is not the process", () => {
  using child = sleeper();
  assert.equal(isAlive(child), true);
  assert.equal(isAlive({ pid: child.pid, startTime: "1" }), false);
  assert.equal(signalProcess({ pid: child.pid, startTime: "1" }, "SIGKILL"), false);
  assert.equal(isAlive(child), true);
});

test("`endProcesses()` ends those that listen to SIGTERM, those that do not, and those that are stopped", async () => {
  using polite = sleeper();
  using deaf = sleeper(["sh", "-c", 'trap "" TERM; while :; do sleep 1; done']);
  using stopped = sleeper();
  signalProcess(stopped, "SIGSTOP");
  // The shell needs a moment to become deaf.
  await waitForEnd(deaf, 200);
  await endProcesses([polite, deaf, stopped], 300);
  assert.deepEqual([polite, deaf, stopped].map(isAlive), [false, false, false]);
});

test("`findProcesses()` finds by the environment that a process was started with, and never itself", async () => {
  const mark = `COIL_TEST_MARK=${process.pid}`;
  const [name = "", value = ""] = mark.split("=");
  using child = sleeper(["sleep", "60"], { [name]: value });
  // Until the new program runs, /proc shows the environment of the old one.
  for (let tries = 0; tries < 100 && findProcesses({ environment: mark }).length === 0; tries++) await waitForEnd(child, 10);
  assert.deepEqual(
    findProcesses({ environment: mark }).map(({ pid }) => pid),
    [child.pid],
  );
});
