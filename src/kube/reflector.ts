import { ApiError, ConnectionError, isStaleVersion } from "./api-error.ts";
import { type BackoffOptions, backoffMs } from "./backoff.ts";
import type { KubeClient } from "./client.ts";
import type { Clock } from "./clock.ts";
import type { KubeLog } from "./log.ts";
import type { KubeObject } from "./object.ts";
import { keyOf } from "./object-store.ts";
import type { Selection } from "./options.ts";
import type { Resource } from "./resource.ts";

/** Receives what the server tells, in order. */
export interface ReflectorSink<T> {
  /** Prepares an object before anything else sees it. */
  prepare(object: T): T;
  /** The whole truth. */
  replace(objects: ReadonlyMap<string, T>): void;
  put(object: T): void;
  remove(object: T): void;
  /** Something was heard from the server. */
  contact(): void;
  /** A list is fetched, for the first time or again; or a watch is taken up where it broke off. */
  opened(how: "list" | "resume"): void;
}

export interface ReflectorOptions<T extends KubeObject> extends Selection {
  readonly resource: Resource<T>;
  readonly metadataOnly?: boolean;
  readonly idleTimeoutMs?: number;
  readonly watchDurationS?: number;
  readonly backoff: BackoffOptions;
  readonly log: KubeLog;
  readonly clock: Clock;
}

// A watch that ends in good order sooner than this counts as a failure, or a server that is going down would be asked in a tight loop.
const SHORT_WATCH_MS = 1000;
const WARN_FAILURES = 3;

/** Lists and watches until aborted, whatever goes wrong. Resolves when aborted. */
export async function reflect<T extends KubeObject>(
  client: Pick<KubeClient, "watch" | "pages">,
  options: ReflectorOptions<T>,
  sink: ReflectorSink<T>,
  signal: AbortSignal,
): Promise<void> {
  const { resource, log, clock, backoff } = options;
  const fields = { resource: resource.plural };
  let version: string | undefined;
  // Whether the next list is streamed. A refusal is for ever; a stream that did not finish is followed by one list in pages.
  let streams = true;
  let refused = false;
  let failures = 0;

  const healthy = () => {
    if (failures >= WARN_FAILURES) log.info({ ...fields, failures }, "the API server answers again");
    failures = 0;
  };

  /** Watches from `version`, or from a list that the server streams first. Returns when the server ends the watch. */
  const follow = async (): Promise<void> => {
    let initial: Map<string, T> | undefined = version === undefined ? new Map() : undefined;
    const { namespace, labelSelector, fieldSelector, metadataOnly, idleTimeoutMs, watchDurationS } = options;
    const selection = {
      ...selectionOf({ namespace, labelSelector, fieldSelector }),
      ...(version === undefined ? { sendInitialEvents: true } : { resourceVersion: version }),
    };
    sink.opened(initial ? "list" : "resume");
    const events = client.watch(resource, selection, {
      signal,
      onActivity: sink.contact,
      ...(metadataOnly && { metadataOnly }),
      ...(idleTimeoutMs !== undefined && { idleTimeoutMs }),
      ...(watchDurationS !== undefined && { durationS: watchDurationS }),
    });
    for await (const event of events) {
      if (event.type === "BOOKMARK") {
        if (event.initialEnd && initial) {
          sink.replace(initial);
          initial = undefined;
        }
        if (!initial) version = event.resourceVersion;
      } else {
        const { resourceVersion } = event.object.metadata;
        const object = sink.prepare(event.object);
        if (initial) initial.set(keyOf(object), object);
        else {
          if (event.type === "DELETED") sink.remove(object);
          else sink.put(object);
          version = resourceVersion;
        }
      }
      healthy();
    }
  };

  const listInPages = async (): Promise<void> => {
    const objects = new Map<string, T>();
    let at = "";
    sink.opened("list");
    const { metadataOnly } = options;
    for await (const page of client.pages(resource, selectionOf(options), { signal, ...(metadataOnly && { metadataOnly }) })) {
      sink.contact();
      for (const item of page.items) {
        const object = sink.prepare(item);
        objects.set(keyOf(object), object);
      }
      at = page.resourceVersion;
    }
    sink.replace(objects);
    version = at;
    streams = !refused;
    healthy();
  };

  while (!signal.aborted) {
    const started = clock.now();
    let problem: unknown;
    const listing = version === undefined;
    try {
      if (listing && !streams) await listInPages();
      await follow();
      if (clock.now() - started < SHORT_WATCH_MS) problem = new Error("the server ended the watch at once");
    } catch (error) {
      problem = error;
    }
    if (signal.aborted) return;
    if (problem === undefined) continue;
    if (isStaleVersion(problem)) {
      log.info({ ...fields, err: problem }, "the watch cannot be resumed: listing again");
      version = undefined;
    } else if (listing && streams && version === undefined) {
      refused = problem instanceof ApiError && (problem.status === 400 || problem.status === 422);
      const unfinished = problem instanceof ConnectionError && problem.code === "ETIMEDOUT";
      streams = !refused && !unfinished;
      if (refused) log.debug({ ...fields, err: problem }, "the server does not stream lists: listing in pages");
      if (refused) continue;
    }
    failures++;
    const wait = Math.max(backoffMs(backoff, failures), problem instanceof ApiError ? (problem.retryAfter ?? 0) * 1000 : 0);
    const level = failures === WARN_FAILURES ? "warn" : "debug";
    log[level]({ ...fields, err: problem, failures, waitMs: Math.round(wait) }, "the watch failed: trying again");
    await clock.sleep(wait, { signal }).catch(() => undefined);
  }
}

function selectionOf({ namespace, labelSelector, fieldSelector }: { [K in keyof Selection]: string | undefined }): Selection {
  return { ...(namespace && { namespace }), ...(labelSelector && { labelSelector }), ...(fieldSelector && { fieldSelector }) };
}
