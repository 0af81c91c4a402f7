/** The plugin in QuickJS: everything is synchronous, the promises are those of the interface. */
import * as os from "quickjs:os";
import * as socket from "quickjs:socket";
import * as std from "quickjs:std";
import type { Host } from "../../src/plugin/host.ts";
import { runPlugin } from "../../src/plugin/run.ts";
import { type Connection, timeLeft } from "../../src/rpc/exchange.ts";
import { check, readSome, writeAll } from "./descriptor.ts";
import { writeFile } from "./files.ts";

const host: Host = {
  variable: std.getenv,
  clock: os.now,
  async readInput(limit) {
    return os.isatty(0) ? new Uint8Array() : readInput(limit);
  },
  async writeOutput(bytes) {
    writeAll(1, bytes, "write");
  },
  async connect(path, timeoutMs) {
    return connectionOf(check(socket.connect(path, timeoutMs), "connect"));
  },
  async writeFile(file, bytes) {
    writeFile(file, bytes);
  },
  async removeFile({ folder, name }) {
    os.remove(`${folder}/${name}`);
  },
};

function readInput(limit: number): Uint8Array {
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (length < limit) {
    const chunk = readSome(0, "read");
    if (!chunk) break;
    chunks.push(chunk);
    length += chunk.length;
  }
  const bytes = new Uint8Array(length);
  let end = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, end);
    end += chunk.length;
  }
  return bytes.subarray(0, limit);
}

function connectionOf(fd: number): Connection {
  return {
    async send(bytes, timeoutMs) {
      const left = timeLeft(timeoutMs, os.now);
      writeAll(fd, bytes, "send", () => check(socket.setTimeouts(fd, left()), "send"));
    },
    async receive(timeoutMs) {
      check(socket.setTimeouts(fd, timeoutMs), "receive");
      return readSome(fd, "receive");
    },
    close() {
      os.close(fd);
    },
  };
}

runPlugin(host).then(std.exit, () => std.exit(1));
