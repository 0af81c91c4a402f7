import type { BackoffOptions } from "./backoff.ts";
import type { KubeClient } from "./client.ts";
import { type Clock, realClock } from "./clock.ts";
import type { KubeLog } from "./log.ts";
import type { KubeObject, PartialObject } from "./object.ts";
import { type Change, type IndexFunction, ObjectStore } from "./object-store.ts";
import type { Selection } from "./options.ts";
import { reflect } from "./reflector.ts";
import type { Resource } from "./resource.ts";

export interface WatchCacheOptions<T extends KubeObject> extends Selection {
  readonly resource: Resource<T>;
  /** Fetch and keep `metadata` alone. */
  readonly metadataOnly?: boolean;
  /** Makes what is kept out of what was received, for example without the fields nobody reads. Must keep `metadata.name`,
   * `namespace`, `uid` and `resourceVersion`. `managedFields` are always dropped. */
  readonly transform?: (object: T) => T;
  readonly log: KubeLog;
  readonly clock?: Clock;
  readonly metrics?: WatchCacheMetrics;
  /** Longest silence of a watch before it is taken up on another connection, milliseconds. Default 150 s. */
  readonly idleTimeoutMs?: number;
  /** How long one watch lasts, seconds. Default 300 to 600 at random. */
  readonly watchDurationS?: number;
  /** Waits after failures. Default 0.2 s to 10 s. */
  readonly backoff?: BackoffOptions;
}

/** What a cache counts. */
export interface WatchCacheMetrics {
  /** A list is fetched, or a watch taken up where it broke off. */
  opened(how: "list" | "resume"): void;
  changed(type: Change<unknown>["type"]): void;
}

/** The objects of a resource as the server has them, a moment ago. */
export interface WatchCache<T extends KubeObject> {
  /** Lists and watches until aborted, whatever goes wrong; resolves when aborted. Once per cache. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when the first list is complete; rejects with the signal's reason when `run` is aborted before. */
  readonly synced: Promise<void>;
  readonly isSynced: boolean;
  readonly size: number;
  get(name: string, namespace?: string): T | undefined;
  list(): T[];
  /**
   * Calls `listener` for each change, synchronously, after the cache has it. A new list gives the differences to what was known
   * before. Errors of a listener are logged and do no harm. Returns what ends it.
   */
  onChange(listener: (change: Change<T>) => void): () => void;
  /** Makes `byIndex(name, key)` find the objects for which `keysOf` gives the key. Throws `TypeError` when the name is taken. */
  addIndex(name: string, keysOf: IndexFunction<T>): void;
  byIndex(name: string, key: string): T[];
  /** Milliseconds since the server was heard last, `Infinity` before. Up to 120 s are normal when nothing changes. */
  readonly lastContact: number;
}

const BACKOFF: BackoffOptions = { baseMs: 200, maxMs: 10_000 };

/** Makes a cache that is empty until `run` has listed. */
export function createWatchCache(
  client: Pick<KubeClient, "watch" | "pages">,
  options: WatchCacheOptions<PartialObject> & { readonly metadataOnly: true },
): WatchCache<PartialObject>;
export function createWatchCache<T extends KubeObject>(
  client: Pick<KubeClient, "watch" | "pages">,
  options: WatchCacheOptions<T>,
): WatchCache<T>;
export function createWatchCache<T extends KubeObject>(
  client: Pick<KubeClient, "watch" | "pages">,
  options: WatchCacheOptions<T>,
): WatchCache<T> {
  const { log, clock = realClock, transform, metrics, backoff = BACKOFF } = options;
  const store = new ObjectStore<T>();
  const listeners = new Set<(change: Change<T>) => void>();
  const synced = Promise.withResolvers<void>();
  // Whoever awaits it sees the rejection; nobody has to.
  synced.promise.catch(() => undefined);
  let isSynced = false;
  let started = false;
  let heardAt = Number.NEGATIVE_INFINITY;

  const notify = (change: Change<T>) => {
    metrics?.changed(change.type);
    for (const listener of listeners) {
      try {
        listener(change);
      } catch (err) {
        log.error({ err, resource: options.resource.plural }, "a listener failed");
      }
    }
  };

  const sink = {
    prepare(object: T): T {
      delete (object.metadata as { managedFields?: unknown }).managedFields;
      return transform ? transform(object) : object;
    },
    replace(objects: ReadonlyMap<string, T>) {
      store.replace(objects, notify);
      isSynced = true;
      synced.resolve();
    },
    put: (object: T) => store.put(object, notify),
    remove: (object: T) => store.remove(object, notify),
    contact() {
      heardAt = clock.now();
    },
    opened: (how: "list" | "resume") => metrics?.opened(how),
  };

  return {
    async run(signal) {
      if (started) throw new TypeError(`The cache of ${options.resource.plural} runs or has run`);
      started = true;
      try {
        await reflect(client, { ...options, clock, backoff }, sink, signal);
      } finally {
        synced.reject(signal.reason);
      }
    },
    synced: synced.promise,
    get isSynced() {
      return isSynced;
    },
    get size() {
      return store.size;
    },
    get: (name, namespace) => store.get(name, namespace),
    list: () => store.list(),
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    addIndex: (name, keysOf) => store.addIndex(name, keysOf),
    byIndex: (name, key) => store.byIndex(name, key),
    get lastContact() {
      return clock.now() - heardAt;
    },
  };
}
