import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { createTestNamespace } from "../../../test/support/netns.ts";
import { openCurrentNetNamespace } from "./namespace.ts";
import { processesIn } from "./processes.ts";

test("`processesIn()` finds the processes of the namespaces, and only of those", async () => {
  await using first = await createTestNamespace();
  await using second = await createTestNamespace();
  await using empty = await createTestNamespace();
  const start = (path: string) =>
    spawn("nsenter", [`--net=${path}`, "sh", "-c", "echo in; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
  const children = [start(first.path), start(first.path), start(second.path)];
  try {
    await Promise.all(children.map((child) => once(child.stdout, "data")));
    const pids = children.map((child) => child.pid!);
    assert.deepStrictEqual(
      await processesIn(new Set([first.ns.inode, second.ns.inode, empty.ns.inode])),
      new Map([
        [first.ns.inode, pids.slice(0, 2).sort((a, b) => a - b)],
        [second.ns.inode, pids.slice(2)],
      ]),
    );
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(children.map((child) => once(child, "exit")));
  }
});

test("`processesIn()` finds this process in its own namespace", async () => {
  using current = openCurrentNetNamespace();
  assert.ok((await processesIn(new Set([current.inode]))).get(current.inode)?.includes(process.pid));
  assert.deepStrictEqual(await processesIn(new Set()), new Map());
});
