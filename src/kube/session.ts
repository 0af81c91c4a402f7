import type { IncomingMessage } from "node:http";
import { apiErrorFrom } from "./api-error.ts";
import type { Clock } from "./clock.ts";
import type { KubeConfig } from "./config.ts";
import type { KubeLog } from "./log.ts";
import { createTokenSource } from "./token.ts";
import { createTransport, type HttpAnswer, type HttpCall } from "./transport.ts";

/** Time for one attempt of a request unless the caller says otherwise, milliseconds. */
export const DEFAULT_TIMEOUT_MS = 30_000;

const MAX_ATTEMPTS = 5;
const MAX_RETRY_AFTER_S = 30;

export interface SessionCall {
  readonly method: string;
  readonly path: string;
  readonly accept: string;
  readonly body?: string;
  readonly contentType?: string;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number;
}

/** Requests as one user: adds who we are, waits and repeats when the server asks for it, renews a token that is refused. */
export interface Session extends Disposable {
  /** The whole answer, of any status. */
  exchange(call: SessionCall): Promise<HttpAnswer>;
  /** A streaming answer with status 200. Throws `ApiError` for others. */
  open(call: SessionCall): Promise<IncomingMessage>;
}

export interface SessionDeps {
  readonly log: KubeLog;
  readonly userAgent: string;
  readonly clock: Clock;
}

/** Opens nothing yet. */
export function createSession(config: KubeConfig, { log, userAgent, clock }: SessionDeps): Session {
  const transport = createTransport(config);
  const tokens = createTokenSource(config.credentials, clock);
  const constant: Record<string, string> = { "user-agent": userAgent };
  const impersonated = impersonation(config);

  /** Calls `send` until it gives something that is not a request to come again. */
  const attempt = async <A extends { status: number; retryAfter: string | undefined }>(
    call: SessionCall,
    send: (call: HttpCall) => Promise<A>,
  ): Promise<A> => {
    let renewed = false;
    for (let attempts = 1; ; attempts++) {
      const token = await tokens.current();
      const answer = await send(httpCall(call, token));
      if (answer.status === 401 && token !== undefined && !renewed && (await tokens.renew(token))) {
        renewed = true;
        log.debug({ path: call.path }, "the token was refused: trying the one that the file holds now");
        continue;
      }
      const wait = retryAfterSeconds(answer);
      if (wait === undefined || attempts >= MAX_ATTEMPTS) return answer;
      log.debug({ path: call.path, status: answer.status, seconds: wait }, "the server asks to come again later");
      await clock.sleep(wait * 1000, { signal: call.signal });
    }
  };

  const httpCall = (call: SessionCall, token: string | undefined): HttpCall => ({
    method: call.method,
    path: call.path,
    headers: {
      ...constant,
      ...impersonated,
      accept: call.accept,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(call.contentType !== undefined && { "content-type": call.contentType }),
    },
    ...(call.body !== undefined && { body: call.body }),
    signal: call.signal,
    timeoutMs: call.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  });

  return {
    async exchange(call) {
      const { answer } = await attempt(call, async (httpCall) => {
        const answer = await transport.exchange(httpCall);
        return { status: answer.status, retryAfter: answer.headers["retry-after"], answer };
      });
      return answer;
    },
    async open(call) {
      const { response, status, body, retryAfter } = await attempt(call, async (httpCall) => {
        const response = await transport.open(httpCall);
        const head = { response, status: response.statusCode ?? 0, retryAfter: response.headers["retry-after"] };
        return head.status === 200 ? { ...head, body: "" } : { ...head, body: await readRefusal(response) };
      });
      if (status === 200) return response;
      throw apiErrorFrom(`${call.method} ${call.path}`, { status, body, retryAfter });
    },
    [Symbol.dispose]: () => transport[Symbol.dispose](),
  };
}

/** 429, and errors that come with a Retry-After, were not acted on: they may be repeated whatever the method. */
function retryAfterSeconds({ status, retryAfter }: { status: number; retryAfter: string | undefined }): number | undefined {
  const seconds = Number(retryAfter ?? Number.NaN);
  if (status !== 429 && !(status >= 500 && Number.isFinite(seconds))) return undefined;
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), MAX_RETRY_AFTER_S) : 1;
}

function impersonation({ impersonate }: KubeConfig): Record<string, string | readonly string[]> {
  if (!impersonate) return {};
  return { "impersonate-user": impersonate.user, "impersonate-group": impersonate.groups ?? [] };
}

const MAX_REFUSAL_BYTES = 64 * 1024;
const REFUSAL_MS = 5_000;

/** The body of a refused stream, as far as it comes soon. */
async function readRefusal(response: IncomingMessage): Promise<string> {
  const timer = setTimeout(() => response.destroy(), REFUSAL_MS);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > MAX_REFUSAL_BYTES) break;
    }
  } catch {
    // What has arrived is enough: the status says the rest.
  } finally {
    clearTimeout(timer);
    response.destroy();
  }
  return Buffer.concat(chunks).toString("utf8");
}
