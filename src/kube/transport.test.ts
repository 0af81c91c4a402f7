import assert from "node:assert/strict";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ConnectionError } from "./api-error.ts";
import { createTransport, type HttpCall, type Transport } from "./transport.ts";

/** A web server that does what a test makes it do to the connection. */
async function serve(
  listener: RequestListener,
): Promise<{ server: Server; transport: Transport; sockets: Set<Socket> } & AsyncDisposable> {
  const server = createServer({ keepAliveTimeout: 60_000 }, listener);
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const transport = createTransport({ server: `http://127.0.0.1:${port}/prefix`, tls: {}, credentials: { kind: "none" } });
  return {
    server,
    transport,
    sockets,
    async [Symbol.asyncDispose]() {
      transport[Symbol.dispose]();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function get(more: Partial<HttpCall> = {}): HttpCall {
  return { method: "GET", path: "/x?y=1", headers: {}, signal: new AbortController().signal, timeoutMs: 5000, ...more };
}

const code = (error: unknown) => (error instanceof ConnectionError ? error.code : String(error));

test("exchange() keeps the connection, adds the server's path and sends bodies with their length", async () => {
  const seen: string[] = [];
  await using s = await serve((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    request.on("end", () => {
      seen.push(
        [request.method, request.url, request.headers["content-length"], body, request.headers["impersonate-group"]].join(" "),
      );
      response.end(body);
    });
  });
  const answers = [
    await s.transport.exchange(get()),
    await s.transport.exchange(get({ method: "POST", body: "äöü", headers: { "impersonate-group": ["a", "b"] } })),
  ];
  assert.deepEqual(seen, ["GET /prefix/x?y=1   ", "POST /prefix/x?y=1 6 äöü a, b"]);
  assert.deepEqual([answers.map(({ body }) => body), s.sockets.size], [["", "äöü"], 1]);
});

test("a kept connection that the server has dropped meanwhile is replaced for reading, and is an error for writing", async () => {
  let requests = 0;
  await using s = await serve((request, response) => {
    requests++;
    // As if the server had closed it while the request was on its way.
    if (requests % 2 === 0) request.socket.destroy();
    else response.end(String(requests));
  });
  assert.equal((await s.transport.exchange(get())).body, "1");
  assert.equal((await s.transport.exchange(get())).body, "3");
  requests = 0;
  assert.equal((await s.transport.exchange(get())).body, "1");
  await assert.rejects(s.transport.exchange(get({ method: "POST", body: "{}" })), (error) => code(error) === "ECONNRESET");
});

test("no answer, half an answer and nobody there are connection errors with codes", async () => {
  await using s = await serve((request, response) => {
    if (request.url?.includes("half"))
      response.writeHead(200, { "content-length": "100" }).write("half", () => response.destroy());
    if (request.url?.includes("stall")) response.writeHead(200, { "content-length": "100" }).write("half");
  });
  const failure = (call: HttpCall) => s.transport.exchange(call).then(() => "none", code);
  assert.deepEqual(
    [
      await failure(get({ timeoutMs: 50 })),
      await failure(get({ path: "/half" })),
      await failure(get({ path: "/stall", timeoutMs: 50 })),
      await s.transport.open(get({ timeoutMs: 50 })).then(() => "none", code),
    ],
    ["ETIMEDOUT", "ECONNRESET", "ETIMEDOUT", "ETIMEDOUT"],
  );
  await sleep(10);
  assert.equal(s.sockets.size, 0, "what timed out is not used again");
  const { port } = s.server.address() as AddressInfo;
  await new Promise((resolve) => s.server.close(resolve));
  using gone = createTransport({ server: `http://127.0.0.1:${port}`, tls: {}, credentials: { kind: "none" } });
  assert.equal(await gone.exchange(get()).then(() => "none", code), "ECONNREFUSED");
});

test("an abort ends an exchange with its reason, whether it waits for the head or for the rest", async () => {
  await using s = await serve((request, response) => {
    if (request.url?.includes("half")) response.writeHead(200, { "content-length": "100" }).write("half");
  });
  for (const path of ["/nothing", "/half"]) {
    for (const door of ["exchange", "open"] as const) {
      if (door === "open" && path === "/half") continue;
      const aborting = new AbortController();
      const reason = new Error("enough");
      setTimeout(() => aborting.abort(reason), 30);
      await assert.rejects(s.transport[door](get({ path, signal: aborting.signal })), (error) => error === reason);
    }
  }
  await assert.rejects(s.transport.exchange(get({ signal: AbortSignal.abort("before") })), (error) => error === "before");
  await sleep(10);
  assert.equal(s.sockets.size, 0);
});

test("one time-out closes the other idle connections to a server that stands still", async () => {
  let mute = false;
  await using s = await serve((_request, response) => {
    if (!mute) setTimeout(() => response.end(), 20);
  });
  await Promise.all([1, 2, 3].map(() => s.transport.exchange(get())));
  assert.equal(s.sockets.size, 3);
  mute = true;
  await assert.rejects(s.transport.exchange(get({ timeoutMs: 50 })));
  await sleep(20);
  assert.equal(s.sockets.size, 0);
});
