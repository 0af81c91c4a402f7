import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { takeLock, tryLock } from "./lock.ts";

function lockPath(): Disposable & { path: string } {
  const directory = mkdtempSync(join(tmpdir(), "coil-lab-lock-"));
  return { path: join(directory, "lock"), [Symbol.dispose]: () => rmSync(directory, { recursive: true }) };
}

const claim = { checkout: "/here", command: "coil-lab up" };

test("`tryLock()` gives the lock to one at a time", () => {
  using at = lockPath();
  {
    using first = tryLock(claim, at.path);
    assert.ok(first);
    assert.equal(tryLock(claim, at.path), undefined);
  }
  using again = tryLock(claim, at.path);
  assert.ok(again);
});

test("`tryLock()` takes the lock of a process that is gone", () => {
  using at = lockPath();
  writeFileSync(at.path, JSON.stringify({ pid: process.pid, startTime: "0", ...claim }));
  using lock = tryLock(claim, at.path);
  assert.ok(lock);
  assert.equal(JSON.parse(readFileSync(at.path, "utf8")).pid, process.pid);
});

test("`tryLock()` takes a lock file that is not whole", () => {
  using at = lockPath();
  writeFileSync(at.path, "{");
  using lock = tryLock(claim, at.path);
  assert.ok(lock);
});

test("`takeLock()` waits for its own checkout and says for whom", async () => {
  using at = lockPath();
  const first = tryLock(claim, at.path);
  const said: string[] = [];
  const waiting = takeLock({ ...claim, command: "coil-lab down" }, (line) => said.push(line), at.path);
  await new Promise((resolve) => setTimeout(resolve, 150));
  first?.[Symbol.dispose]();
  using _second = await waiting;
  assert.deepEqual(said, [`waiting for coil-lab up (process ${process.pid}) to end`]);
});

test("`takeLock()` names the other checkout that holds it", async () => {
  using at = lockPath();
  using _lock = tryLock({ ...claim, checkout: "/there" }, at.path);
  await assert.rejects(
    takeLock(claim, () => {}, at.path),
    /coil-lab up of \/there \(process \d+\) is at work/,
  );
});
