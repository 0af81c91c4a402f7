import { chmod, rename, rm, stat } from "node:fs/promises";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { CNI_ERROR, CniError, cniErrorBody } from "../cni/error.ts";
import { httpStatusOf } from "./protocol.ts";

// An import of node:http as a module takes 14 MB of memory more.
const { createServer } = process.getBuiltinModule("node:http");

/** Carries out one call. `signal` is aborted when the caller goes away. What it throws is answered as a CNI error. */
export type RpcHandler = (body: unknown, options: { readonly signal: AbortSignal }) => Promise<unknown>;

export interface RpcServerOptions {
  /** Path of the UNIX socket. What is there gives way in one step, so that callers always find one server or the other. */
  readonly socket: string;
  /** POST handlers by path; bodies are JSON. */
  readonly calls: Readonly<Record<string, RpcHandler>>;
  /** GET handlers by path, for people. */
  readonly views?: Readonly<Record<string, () => unknown>>;
}

/** A server that takes calls. Disposing removes the socket, lets calls under way end for a while, then cuts them off. */
export interface RpcServer extends AsyncDisposable {
  /** Whether the socket at the path is still this server's. */
  isBound(): Promise<boolean>;
}

/** Largest body, in bytes: network configurations with a long chain's result have some ten kilobytes. */
const MAX_BODY = 4 * 1024 * 1024;
/** For calls under way when the server is disposed, in ms. */
const GRACE_MS = 5_000;

/** Listens on the socket, for root alone. Resolves when callers can connect. */
export async function startRpcServer({ socket, calls, views = {} }: RpcServerOptions): Promise<RpcServer> {
  const server = createServer((request, response) => {
    void serve(request, response, { calls, views });
  });
  // Bound under another name: nobody can connect before the permissions are right.
  const temporary = `${socket}.${process.pid}`;
  await rm(temporary, { force: true });
  await listen(server, temporary);
  try {
    await chmod(temporary, 0o600);
    await rename(temporary, socket);
  } catch (error) {
    await close(server, 0);
    throw error;
  }
  const { dev, ino } = await stat(socket);
  const isBound = async () => {
    const found = await stat(socket).catch(() => undefined);
    return found?.dev === dev && found.ino === ino;
  };
  return {
    isBound,
    async [Symbol.asyncDispose]() {
      // Another process may have taken the path over.
      if (await isBound()) await rm(socket, { force: true });
      await close(server, GRACE_MS);
    },
  };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => reject(new Error(`Cannot listen on ${path}`, { cause })));
    server.listen({ path }, () => resolve());
  });
}

function close(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  { calls, views }: Required<Pick<RpcServerOptions, "calls" | "views">>,
): Promise<void> {
  const caller = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) caller.abort(new CniError(CNI_ERROR.tryAgainLater, "The caller went away"));
  });
  const path = (request.url ?? "/").split("?")[0] as string;
  try {
    if (request.method === "GET" && Object.hasOwn(views, path)) {
      answer(response, 200, `${JSON.stringify(views[path]?.(), undefined, 2)}\n`);
    } else if (!Object.hasOwn(calls, path)) {
      answer(response, 404, JSON.stringify({ code: CNI_ERROR.internal, msg: `There is nothing at ${path}` }));
    } else if (request.method !== "POST") {
      answer(response, 405, JSON.stringify({ code: CNI_ERROR.internal, msg: `${path} takes POST` }));
    } else {
      const body = parse(await read(request));
      const result = await (calls[path] as RpcHandler)(body, { signal: caller.signal });
      answer(response, 200, JSON.stringify(result));
    }
  } catch (error) {
    const body = cniErrorBody(error);
    answer(response, httpStatusOf(body.code), JSON.stringify(body));
  }
}

function answer(response: ServerResponse, status: number, body: string): void {
  if (response.destroyed) return;
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  response.end(body);
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw new CniError(CNI_ERROR.decodingFailure, `The call is larger than ${MAX_BODY} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CniError(CNI_ERROR.decodingFailure, "The body of the call is not JSON", { cause });
  }
}
