import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { inNamespace } from "../machine/namespace.ts";

const PORT = 5201;
const SECONDS = 1;

/** Counts what one connection brings and says so when it ends. */
const SINK = `
  require("node:net").createServer((socket) => {
    let bytes = 0, started = process.hrtime.bigint();
    socket.on("data", (chunk) => { bytes += chunk.length; });
    socket.on("error", () => {});
    socket.on("close", () => { console.log(bytes * 8 / Number(process.hrtime.bigint() - started)); process.exit(0); });
  }).listen(${PORT}, "::", () => console.log("listening"));`;

const SOURCE = `
  const socket = require("node:net").connect(${PORT}, process.argv[1]);
  const block = Buffer.alloc(1 << 20);
  const write = () => { while (socket.write(block)); };
  socket.on("connect", () => { write(); setTimeout(() => socket.destroy(), ${SECONDS * 1000}); });
  socket.on("drain", write);
  socket.on("error", (error) => { console.error(error.message); process.exit(1); });`;

/** Gbit/s of one TCP connection between two network namespaces, over a second. Throws when there is no connection. */
export async function measureThroughput(from: string, to: string, address: string): Promise<number> {
  const sink = spawnIn(to, ["-e", SINK]);
  const lines = createInterface({ input: sink.stdout })[Symbol.asyncIterator]();
  try {
    await lines.next();
    const source = spawnIn(from, ["-e", SOURCE, address]);
    const [code] = (await once(source, "exit")) as [number];
    if (code !== 0) throw new Error(`No connection from ${from} to ${address}`);
    return Number((await lines.next()).value);
  } finally {
    sink.kill("SIGKILL");
  }
}

function spawnIn(namespace: string, args: readonly string[]) {
  const [program, ...rest] = inNamespace(namespace, [process.execPath, ...args]) as [string, ...string[]];
  return spawn(program, rest, { stdio: ["ignore", "pipe", "inherit"] });
}
