import { readFile } from "node:fs/promises";
import type * as http from "node:http";
import type { Socket } from "node:net";
import type { SecureContextOptions } from "node:tls";
import { ConnectionError } from "./api-error.ts";
import type { KubeConfig } from "./config.ts";

/** One HTTP request. */
export interface HttpCall {
  readonly method: string;
  /** Path and query, starting with a slash. */
  readonly path: string;
  /** A list is sent as several headers of the same name. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
  readonly signal: AbortSignal;
  /** Time for the whole exchange, or for the head of a stream, in milliseconds. */
  readonly timeoutMs: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** HTTP to one server. Failures of the connection are `ConnectionError`; an aborted call rejects with the signal's reason. */
export interface Transport extends Disposable {
  /** Sends and reads the whole answer, on a connection that is kept for the next one. */
  exchange(call: HttpCall): Promise<HttpAnswer>;
  /** Sends on a connection of its own and returns when the head of the answer is there. Whoever reads the body must destroy it. */
  open(call: HttpCall): Promise<http.IncomingMessage>;
}

interface Agents {
  readonly pooled: http.Agent;
  readonly single: http.Agent;
}

const KEEPALIVE_MS = 15_000;
// Shorter than the 90 s after which the server drops an idle connection, so that it is we who close.
const IDLE_CONNECTION_MS = 45_000;
const MAX_CONNECTIONS = 32;

// An import statement of node:http evaluates all of its exports, and with them loads undici: 14 MB more in every daemon.
const builtin = process.getBuiltinModule;

/** Opens nothing yet. */
export function createTransport(config: KubeConfig): Transport {
  const base = new URL(config.server);
  const secure = base.protocol === "https:";
  const { request } = secure ? builtin("node:https") : builtin("node:http");
  let agents: Promise<Agents> | undefined;
  const pool = async (): Promise<Agents> => {
    agents ??= createAgents(config, secure);
    try {
      return await agents;
    } catch (error) {
      agents = undefined;
      throw error;
    }
  };
  const forget = () => {
    void agents?.then(destroyAgents, () => undefined);
    agents = undefined;
  };
  const send = async (call: HttpCall, choose: (agents: Agents) => http.Agent): Promise<Exchange> => {
    const agent = choose(await pool());
    call.signal.throwIfAborted();
    return new Exchange(base, request, agent, call);
  };
  const onFailure = (error: unknown): void => {
    if (!(error instanceof ConnectionError)) return;
    if (config.tls.caFile !== undefined && UNTRUSTED.has(error.code)) forget();
    // A server that does not answer on one connection will not on the others that were made to it before.
    if (error.code === "ETIMEDOUT")
      void agents?.then(
        ({ pooled }) => destroyIdle(pooled),
        () => undefined,
      );
  };
  return {
    async exchange(call) {
      let exchange = await send(call, ({ pooled }) => pooled);
      try {
        return await exchange.answer();
      } catch (error) {
        onFailure(error);
        if (!exchange.wasStale(error) || call.method !== "GET") throw error;
      }
      exchange = await send(call, ({ single }) => single);
      return exchange.answer();
    },
    async open(call) {
      const exchange = await send(call, ({ single }) => single);
      try {
        return await exchange.head();
      } catch (error) {
        onFailure(error);
        throw error;
      }
    },
    [Symbol.dispose]: forget,
  };
}

const UNTRUSTED = new Set([
  "CERT_SIGNATURE_FAILURE",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

async function createAgents({ tls }: KubeConfig, secure: boolean): Promise<Agents> {
  const common = { keepAliveMsecs: KEEPALIVE_MS, timeout: IDLE_CONNECTION_MS, maxSockets: MAX_CONNECTIONS };
  const pooled = { ...common, keepAlive: true, maxFreeSockets: 4 };
  if (!secure) {
    const { Agent } = builtin("node:http");
    return { pooled: new Agent(pooled), single: new Agent({ keepAlive: false }) };
  }
  const { Agent } = builtin("node:https");
  const { createSecureContext } = builtin("node:tls");
  const ca = tls.ca ?? (tls.caFile === undefined ? undefined : await readFile(tls.caFile, "utf8"));
  const context: SecureContextOptions = {
    ...(ca && { ca }),
    ...(tls.cert && { cert: tls.cert }),
    ...(tls.key && { key: tls.key }),
  };
  // One context for all connections: parsing the certificates again for each costs time and memory.
  const options = {
    secureContext: createSecureContext(context),
    rejectUnauthorized: tls.insecure !== true,
    ...(tls.serverName && { servername: tls.serverName }),
  };
  return { pooled: new Agent({ ...pooled, ...options }), single: new Agent({ keepAlive: false, ...options }) };
}

function destroyAgents({ pooled, single }: Agents): void {
  pooled.destroy();
  single.destroy();
}

function destroyIdle(agent: http.Agent): void {
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}

/** A request under way, with its time-out and its abort listener, which are gone when it has settled. */
class Exchange {
  readonly #call: HttpCall;
  readonly #request: http.ClientRequest;
  readonly #head: Promise<http.IncomingMessage>;
  #timedOut = false;
  #answered = false;

  constructor(base: URL, request: typeof http.request, agent: http.Agent, call: HttpCall) {
    this.#call = call;
    const prefix = base.pathname === "/" ? "" : base.pathname;
    const length = call.body === undefined ? {} : { "content-length": String(Buffer.byteLength(call.body)) };
    this.#request = request({
      protocol: base.protocol,
      hostname: base.hostname.replace(/^\[|\]$/g, ""),
      port: base.port,
      method: call.method,
      path: prefix + call.path,
      headers: { ...call.headers, ...length },
      agent,
    });
    this.#request.on("socket", (socket: Socket) => socket.setKeepAlive(true, KEEPALIVE_MS));
    this.#head = new Promise((resolve, reject) => {
      this.#request.on("response", (response) => {
        this.#answered = true;
        resolve(response);
      });
      this.#request.on("error", (error) => reject(this.#explain(error)));
    });
    this.#head.catch(() => undefined);
    this.#request.end(call.body);
  }

  /** The server closed a kept connection before it saw the request. */
  wasStale(error: unknown): boolean {
    const dropped = error instanceof ConnectionError && (error.code === "ECONNRESET" || error.code === "EPIPE");
    return dropped && !this.#answered && this.#request.reusedSocket;
  }

  async answer(): Promise<HttpAnswer> {
    using _ = this.#watchdog();
    const response = await this.#head;
    const chunks: Buffer[] = [];
    await new Promise<void>((resolve, reject) => {
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", resolve);
      response.on("error", (error) => reject(this.#explain(error)));
    });
    const body = (chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)).toString("utf8");
    return { status: response.statusCode ?? 0, headers: response.headers, body };
  }

  async head(): Promise<http.IncomingMessage> {
    using _ = this.#watchdog();
    return await this.#head;
  }

  #watchdog(): Disposable {
    const { signal, timeoutMs } = this.#call;
    const abort = () => this.#request.destroy();
    const timer = setTimeout(() => {
      this.#timedOut = true;
      this.#request.destroy();
    }, timeoutMs);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    return {
      [Symbol.dispose]() {
        clearTimeout(timer);
        signal.removeEventListener("abort", abort);
      },
    };
  }

  #explain(error: NodeJS.ErrnoException): unknown {
    const { signal, method, path, timeoutMs } = this.#call;
    if (signal.aborted) return signal.reason;
    const what = `${method} ${path}`;
    if (this.#timedOut) return new ConnectionError(what, "ETIMEDOUT", new Error(`no answer within ${timeoutMs} ms`));
    return new ConnectionError(what, error.code ?? "ECONNRESET", error);
  }
}
