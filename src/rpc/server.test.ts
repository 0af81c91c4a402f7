import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CNI_ERROR, CniError } from "../cni/error.ts";
import { type RpcHandler, startRpcServer } from "./server.ts";

interface Folder extends AsyncDisposable {
  readonly path: string;
  readonly socket: string;
}

async function temporaryFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), "coil-rpc-"));
  return { path, socket: join(path, "coild.sock"), [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

function call(socketPath: string, path: string, body?: string): Promise<{ status: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, path, method: body === undefined ? "GET" : "POST", agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

test("a call is answered, and the socket is for root alone", async () => {
  await using folder = await temporaryFolder();
  const echo: RpcHandler = async (body) => ({ got: body });
  await using server = await startRpcServer({
    socket: folder.socket,
    calls: { "/v1/add": echo },
    views: { "/v1/state": () => [1] },
  });
  assert.deepEqual(await call(folder.socket, "/v1/add", '{"a":1}'), { status: 200, body: { got: { a: 1 } } });
  assert.deepEqual(await call(folder.socket, "/v1/state"), { status: 200, body: [1] });
  assert.equal((await stat(folder.socket)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(folder.path), ["coild.sock"]);
  assert.ok(await server.isBound());
});

test("failures are answered as CNI errors with a fitting HTTP status", async () => {
  await using folder = await temporaryFolder();
  const calls: Record<string, RpcHandler> = {
    "/later": async () => {
      throw new CniError(CNI_ERROR.tryAgainLater, "no address", { details: "pool x" });
    },
    "/broken": async () => {
      throw new TypeError("surprise");
    },
  };
  await using _server = await startRpcServer({ socket: folder.socket, calls });
  const results = await Promise.all([
    call(folder.socket, "/later", "{}"),
    call(folder.socket, "/broken", "{}"),
    call(folder.socket, "/later", "{"),
    call(folder.socket, "/nothing", "{}"),
    call(folder.socket, "/later"),
  ]);
  assert.deepEqual(results, [
    { status: 503, body: { code: 11, msg: "no address", details: "pool x" } },
    { status: 500, body: { code: 999, msg: "surprise" } },
    { status: 400, body: { code: 6, msg: "The body of the call is not JSON" } },
    { status: 404, body: { code: 999, msg: "There is nothing at /nothing" } },
    { status: 405, body: { code: 999, msg: "/later takes POST" } },
  ]);
});

test("a body beyond the limit is refused, not kept", async () => {
  await using folder = await temporaryFolder();
  await using _server = await startRpcServer({ socket: folder.socket, calls: { "/v1/add": async () => ({}) } });
  const { status } = await call(folder.socket, "/v1/add", JSON.stringify("x".repeat(5 << 20)));
  assert.equal(status, 400);
});

test("the signal of a call is aborted when its caller goes away, and not otherwise", async () => {
  await using folder = await temporaryFolder();
  const entered = Promise.withResolvers<AbortSignal>();
  const aborted = Promise.withResolvers<void>();
  let quick: AbortSignal | undefined;
  const calls: Record<string, RpcHandler> = {
    "/slow": async (_, { signal }) => {
      entered.resolve(signal);
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      aborted.resolve();
      signal.throwIfAborted();
    },
    "/quick": async (_, { signal }) => {
      quick = signal;
      return {};
    },
  };
  await using _server = await startRpcServer({ socket: folder.socket, calls });
  const client = createConnection(folder.socket);
  client.write("POST /slow HTTP/1.1\r\nHost: coild\r\nContent-Length: 2\r\n\r\n{}");
  await entered.promise;
  client.destroy();
  await aborted.promise;
  await call(folder.socket, "/quick", "{}");
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(quick?.aborted, false);
});

test("a server takes over the path of another one, alive or dead, and the old one leaves it alone", async () => {
  await using folder = await temporaryFolder();
  await writeFile(folder.socket, "a stale file");
  const old = await startRpcServer({ socket: folder.socket, calls: { "/who": async () => "old" } });
  assert.equal((await call(folder.socket, "/who", "{}")).body, "old");
  await using fresh = await startRpcServer({ socket: folder.socket, calls: { "/who": async () => "new" } });
  assert.equal((await call(folder.socket, "/who", "{}")).body, "new");
  assert.deepEqual([await old.isBound(), await fresh.isBound()], [false, true]);
  await old[Symbol.asyncDispose]();
  assert.equal((await call(folder.socket, "/who", "{}")).body, "new");
});

test("disposing removes the socket and lets calls under way end", async () => {
  await using folder = await temporaryFolder();
  const entered = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const slow: RpcHandler = async () => {
    entered.resolve();
    await release.promise;
    return { done: true };
  };
  const server = await startRpcServer({ socket: folder.socket, calls: { "/slow": slow } });
  const answer = call(folder.socket, "/slow", "{}");
  await entered.promise;
  const closed = server[Symbol.asyncDispose]();
  while ((await readdir(folder.path)).length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await assert.rejects(call(folder.socket, "/slow", "{}"), { code: "ENOENT" });
  release.resolve();
  assert.deepEqual(await answer, { status: 200, body: { done: true } });
  await closed;
});
