import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A directory that is gone when it is disposed or this process has died, however that happened. */
export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
}

// Waits for the end of its input, which the kernel brings about when we die; what still writes into it dies at the same time.
const GUARD = 'trap "" INT TERM HUP; cat >/dev/null; for i in 1 2 3 4 5; do rm -rf -- "$1" && exit 0; sleep 0.2; done';

/** Creates it below the system's directory for temporary files. */
export async function createTemporaryDirectory(prefix: string): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), prefix));
  const guard = spawn("sh", ["-c", GUARD, "sh", path], { stdio: ["pipe", "ignore", "ignore"] });
  const ended = new Promise((resolve) => guard.once("close", resolve));
  guard.unref();
  (guard.stdin as Socket).unref();
  return {
    path,
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
      guard.ref();
      guard.stdin.end();
      await ended;
    },
  };
}
