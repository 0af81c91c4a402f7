import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { formatHealth, type Health } from "./health.ts";
import { parseListenAddress } from "./listen-address.ts";
import type { Registry } from "./metrics.ts";

// Imported as an ES module it would cost 14 MB of memory: all that it exports is evaluated then.
const { createServer } = process.getBuiltinModule("node:http");

/** A listening server. Disposing closes it with all its connections. */
export interface HttpEndpoint extends AsyncDisposable {
  /** The port it listens on; 0 when switched off. */
  readonly port: number;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly contentType?: string;
}

/** Serves `/metrics` at `address` (`:9386`; `0` switches it off). Rejects when the address cannot be bound. */
export function serveMetrics(address: string, registry: Registry): Promise<HttpEndpoint> {
  return serve(address, async (path) => {
    if (path !== "/metrics") return undefined;
    return { status: 200, body: await registry.metrics(), contentType: registry.contentType };
  });
}

/** Serves `/healthz` and `/readyz` at `address`: 200, or 503 with the failed checks by name. */
export function serveHealth(address: string, health: Health): Promise<HttpEndpoint> {
  return serve(address, async (path) => {
    if (path !== "/healthz" && path !== "/readyz") return undefined;
    const report = path === "/healthz" ? health.liveness() : health.readiness();
    return { status: report.ok ? 200 : 503, body: formatHealth(report) };
  });
}

async function serve(address: string, answer: (path: string) => Promise<Answer | undefined>): Promise<HttpEndpoint> {
  const listen = parseListenAddress(address);
  if (!listen) return { port: 0, [Symbol.asyncDispose]: async () => {} };
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    void respond(request, response, answer);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(new Error(`Cannot listen on ${address}`, { cause })));
    server.listen({ port: listen.port, ...(listen.host === undefined ? {} : { host: listen.host }) }, resolve);
  });
  return { port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: () => close(server) };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  answer: (path: string) => Promise<Answer | undefined>,
) {
  let given: Answer | undefined;
  try {
    if (request.method === "GET" || request.method === "HEAD") given = await answer((request.url ?? "/").split("?")[0] as string);
  } catch (error) {
    given = { status: 500, body: `${error}\n` };
  }
  const { status, body, contentType = "text/plain; charset=utf-8" } = given ?? { status: 404, body: "not found\n" };
  response.writeHead(status, { "content-type": contentType, "content-length": Buffer.byteLength(body) });
  response.end(request.method === "HEAD" ? undefined : body);
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
