/** The plugin in Node: for tests, and where QuickJS cannot be had. `plugin/build.ts` makes the real one. */
import { mkdir, open, rename, rm } from "node:fs/promises";
import { createConnection, type Socket } from "node:net";
import { isatty } from "node:tty";
import type { Host } from "../src/plugin/host.ts";
import { runPlugin } from "../src/plugin/run.ts";
import type { Connection } from "../src/rpc/exchange.ts";
import { SystemError } from "../src/rpc/system-error.ts";

const host: Host = {
  variable: (name) => process.env[name],
  clock: () => performance.now(),
  async readInput(limit) {
    const chunks: Uint8Array[] = [];
    let length = 0;
    if (!isatty(0)) {
      for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
        chunks.push(chunk);
        length += chunk.length;
        if (length >= limit) break;
      }
    }
    return Buffer.concat(chunks).subarray(0, limit);
  },
  writeOutput: (bytes) =>
    new Promise((resolve, reject) => {
      process.stdout.once("error", (error) => reject(systemError(error)));
      process.stdout.write(bytes, (error) => (error ? reject(systemError(error)) : resolve()));
    }),
  connect: connectUnix,
  async writeFile({ folder, name }, bytes) {
    const unfinished = `${folder}/.${name}.${process.pid}`;
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await using file = await open(unfinished, "w", 0o600);
      await file.writeFile(bytes);
      await rename(unfinished, `${folder}/${name}`);
    } catch (error) {
      await rm(unfinished, { force: true }).catch(() => undefined);
      throw systemError(error);
    }
  },
  removeFile: ({ folder, name }) => rm(`${folder}/${name}`, { force: true }),
};

async function connectUnix(path: string, timeoutMs: number): Promise<Connection> {
  const socket = createConnection(path);
  try {
    await within(timeoutMs, (resolve, reject) => socket.once("connect", resolve).once("error", reject));
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return connectionOf(socket);
}

function connectionOf(socket: Socket): Connection {
  let failure: Error | undefined;
  socket.removeAllListeners().on("error", (error) => {
    failure = error;
  });
  const chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>;
  return {
    send: (bytes, timeoutMs) =>
      within(timeoutMs, (resolve, reject) => {
        if (failure) reject(failure);
        socket.write(bytes, (error) => (error ? reject(error) : resolve()));
      }),
    receive: (timeoutMs) =>
      within(timeoutMs, (resolve, reject) => {
        chunks.next().then(({ value }) => resolve(value), reject);
      }),
    close: () => socket.destroy(),
  };
}

/** A promise that fails with `SystemError`, `ETIMEDOUT` after a while. */
async function within<T>(
  timeoutMs: number,
  start: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      timer = setTimeout(() => reject(new SystemError("ETIMEDOUT", "timed out")), timeoutMs);
      start(resolve, reject);
    });
  } catch (error) {
    throw systemError(error);
  } finally {
    clearTimeout(timer);
  }
}

function systemError(error: unknown): SystemError {
  if (error instanceof SystemError) return error;
  const { code = "UNKNOWN", message } = error as NodeJS.ErrnoException;
  return new SystemError(code, message);
}

process.exit(await runPlugin(host));
