import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { pbkdf2 } from "node:crypto";
import { closeSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { readlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { createTestNamespace } from "../../../test/support/netns.ts";
import { KernelError } from "../kernel-error.ts";
import { newBridge } from "../route/new-link.ts";
import { openRouteSocket } from "../route/socket.ts";
import { AF_NETLINK, SOCK_RAW } from "../syscall/constants.ts";
import { socketIn } from "./fence.ts";
import { createNetNamespace, openCurrentNetNamespace, openNetNamespace } from "./namespace.ts";

const OWN = "/proc/self/ns/net";

test("sockets are opened elsewhere thousands of times while all threads stay at home", async () => {
  const home = readlinkSync(OWN);
  await using away = await createTestNamespace();
  let running = true;
  const seen = new Set<string>();
  // Work for each thread of the pool, which tells where it is.
  const busy = Array.from({ length: 8 }, async () => {
    while (running) {
      seen.add(await readlink("/proc/thread-self/ns/net"));
      await promisify(pbkdf2)("password", "salt", 200, 32, "sha256");
    }
  });
  for (let round = 0; round < 60; round++) {
    for (let i = 0; i < 50; i++) closeSync(socketIn(away.ns.fd, AF_NETLINK, SOCK_RAW, 0));
    await new Promise((resolve) => setImmediate(resolve));
  }
  running = false;
  await Promise.all(busy);
  const threads = readdirSync("/proc/self/task").map((thread) => readlinkSync(`/proc/self/task/${thread}/ns/net`));
  assert.deepStrictEqual([...seen], [home]);
  assert.deepStrictEqual([...new Set(threads)], [home]);
  const { stdout } = await promisify(execFile)("readlink", [OWN]);
  assert.equal(stdout.trim(), home);
});

test("a socket stays in the namespace in which it was opened", async () => {
  await using away = await createTestNamespace();
  using socket = openRouteSocket(away.ns);
  await socket.batch([newBridge({ name: "coil-test0" })]);
  assert.match(await away.ip("-br link show"), /^coil-test0 /m);
  assert.doesNotMatch(execFileSync("ip", ["-br", "link", "show"], { encoding: "utf8" }), /coil-test0/);
});

test("a failure on the way leaves the thread at home and no descriptor open", () => {
  const home = readlinkSync(OWN);
  using current = openCurrentNetNamespace();
  const before = descriptors();
  assert.throws(
    () => socketIn(current.fd, AF_NETLINK, SOCK_RAW, 9999),
    (error) => error instanceof KernelError && error.code === "EPROTONOSUPPORT",
  );
  // Not a namespace, so that the thread does not even leave.
  assert.throws(
    () => socketIn(0, AF_NETLINK, SOCK_RAW, 0),
    (error) => error instanceof KernelError && error.code === "EINVAL",
  );
  assert.equal(readlinkSync(OWN), home);
  assert.deepStrictEqual(descriptors(), before);
});

test("namespaces, sockets and requests leave no descriptor and no thread behind", async () => {
  const cycle = async () => {
    using space = createNetNamespace();
    using again = openNetNamespace(`/proc/self/fd/${space.fd}`);
    assert.equal(again.inode, space.inode);
    using socket = openRouteSocket(space);
    await socket.batch([newBridge({ name: "d0" })]);
    await socket.links();
  };
  await cycle();
  const before = { descriptors: descriptors(), threads: threads() };
  for (let i = 0; i < 20; i++) await cycle();
  assert.deepStrictEqual({ descriptors: descriptors(), threads: threads() }, before);
});

test("`openCurrentNetNamespace()` is where the process is, and `createNetNamespace()` is elsewhere", () => {
  using current = openCurrentNetNamespace();
  using fresh = createNetNamespace();
  assert.equal(`net:[${current.inode}]`, readlinkSync(OWN));
  assert.notEqual(fresh.inode, current.inode);
  assert.equal(`net:[${fresh.inode}]`, readlinkSync(`/proc/self/fd/${fresh.fd}`));
});

test("a namespace that is closed refuses to give its descriptor, and may be closed again", () => {
  const space = createNetNamespace();
  space[Symbol.dispose]();
  assert.throws(() => space.fd, /it is closed/);
  space[Symbol.dispose]();
});

test("`openNetNamespace()` refuses whatever is not a network namespace, without waiting", () => {
  const directory = mkdtempSync(join(tmpdir(), "coil-netns-"));
  try {
    const file = join(directory, "file");
    const fifo = join(directory, "fifo");
    writeFileSync(file, "");
    execFileSync("mkfifo", [fifo]);
    for (const path of [file, fifo, directory, "/proc/self/ns/mnt"]) {
      assert.throws(
        () => openNetNamespace(path),
        (error) => error instanceof KernelError && error.code === "EINVAL" && error.message.includes(path),
        path,
      );
    }
    assert.throws(
      () => openNetNamespace(join(directory, "absent")),
      (error) => error instanceof KernelError && error.code === "ENOENT",
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});

/** What the open descriptors are, without the one that lists them. */
function descriptors(): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [`${fd} ${readlinkSync(`/proc/self/fd/${fd}`)}`];
    } catch {
      return [];
    }
  });
}

function threads(): number {
  return readdirSync("/proc/self/task").length;
}
