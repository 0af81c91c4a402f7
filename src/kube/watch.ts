import type { IncomingMessage } from "node:http";
import { ApiError, ConnectionError } from "./api-error.ts";
import { ACCEPT_JSON, ACCEPT_METADATA } from "./caller.ts";
import { createLineDecoder } from "./json-lines.ts";
import type { KubeObject } from "./object.ts";
import type { WatchOptions, WatchSelection } from "./options.ts";
import { queryText, selectorQuery } from "./query.ts";
import { collectionPath, type Resource } from "./resource.ts";
import type { Session } from "./session.ts";
import { parseWatchEvent, type WatchEvent } from "./watch-event.ts";

// Bookmarks come every 60 s, the first one after up to 120 s (seen with 1.35). TCP keep-alive finds dead peers in 25 s.
const IDLE_TIMEOUT_MS = 150_000;
const MIN_WATCH_S = 300;

/** Opens a watch and reads it; see {@link readWatch}. Nothing is sent before the first event is asked for. */
export async function* watchEvents<T extends KubeObject>(
  session: Session,
  resource: Resource<T>,
  selection: WatchSelection,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<T>, void, undefined> {
  const { resourceVersion, sendInitialEvents, namespace } = selection;
  const { signal, onActivity, timeoutMs, metadataOnly, idleTimeoutMs = IDLE_TIMEOUT_MS } = options;
  const query = queryText({
    ...selectorQuery(selection),
    watch: "true",
    allowWatchBookmarks: "true",
    resourceVersion,
    ...(sendInitialEvents && { sendInitialEvents: "true", resourceVersionMatch: "NotOlderThan" }),
    timeoutSeconds: options.durationS ?? Math.round(MIN_WATCH_S * (1 + Math.random())),
  });
  const path = collectionPath(resource, namespace) + query;
  signal.throwIfAborted();
  const accept = metadataOnly ? ACCEPT_METADATA : ACCEPT_JSON;
  const response = await session.open({ method: "GET", path, accept, signal, ...(timeoutMs !== undefined && { timeoutMs }) });
  onActivity?.();
  yield* readWatch<T>(response, { what: `GET ${path}`, signal, idleTimeoutMs, onActivity });
}

export interface WatchStreamOptions {
  /** Names the watch in errors. */
  readonly what: string;
  readonly signal: AbortSignal;
  /** Longest silence, milliseconds. The server sends bookmarks about once a minute. */
  readonly idleTimeoutMs: number;
  /** Called for each piece that arrives. */
  readonly onActivity?: (() => void) | undefined;
}

/**
 * The events in the body of a watch. Returns when the server ends the watch in good order. Throws `ApiError` for what the server
 * reports in the stream (410 `Expired` among it), `ConnectionError` when it breaks off or falls silent, the signal's reason when
 * aborted. Whichever way it ends, the connection is closed.
 */
export async function* readWatch<T extends KubeObject>(
  response: IncomingMessage,
  options: WatchStreamOptions,
): AsyncGenerator<WatchEvent<T>, void, undefined> {
  const { what, signal, idleTimeoutMs, onActivity } = options;
  const decoder = createLineDecoder();
  let silent = false;
  const onAbort = () => response.destroy();
  const timer = setTimeout(() => {
    silent = true;
    response.destroy();
  }, idleTimeoutMs);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    signal.throwIfAborted();
    for await (const chunk of response as AsyncIterable<Buffer>) {
      timer.refresh();
      onActivity?.();
      for (const line of decoder.push(chunk)) {
        yield parseWatchEvent<T>(what, line);
        signal.throwIfAborted();
      }
    }
    signal.throwIfAborted();
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (silent) throw new ConnectionError(what, "ETIMEDOUT", new Error(`nothing heard for ${idleTimeoutMs} ms`));
    if (error instanceof ApiError || error instanceof SyntaxError) throw error;
    throw new ConnectionError(what, (error as NodeJS.ErrnoException).code ?? "ECONNRESET", error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    response.destroy();
  }
}
