import { isApiError } from "./api-error.ts";
import { ACCEPT_JSON, ACCEPT_METADATA, createCaller } from "./caller.ts";
import { type Clock, realClock } from "./clock.ts";
import type { KubeConfig } from "./config.ts";
import { listAll, listPages } from "./list.ts";
import type { KubeLog } from "./log.ts";
import type { KubeObject, ObjectRef, PartialObject } from "./object.ts";
import type {
  CallOptions,
  DeleteOptions,
  ListOptions,
  ObjectList,
  ReadOptions,
  Selection,
  WatchOptions,
  WatchSelection,
} from "./options.ts";
import { type Patch, patchQuery, patchType } from "./patch.ts";
import { apiVersionOf, collectionPath, objectPath, type Resource, scopeOf } from "./resource.ts";
import { createSession } from "./session.ts";
import { watchEvents } from "./watch.ts";
import type { WatchEvent } from "./watch-event.ts";

export interface RawCall {
  readonly method: string;
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/**
 * Typed access to the API server. Calls throw `ApiError` when the server refuses, `ConnectionError` when there is no answer (what
 * changes something is never sent twice by itself), and the signal's reason when aborted. 429 and other answers with a Retry-After
 * are waited for and repeated up to four times.
 */
export interface KubeClient extends Disposable {
  /** Undefined when there is no such object. A resource that the server does not know is an `ApiError`. */
  get<T extends KubeObject>(
    resource: Resource<T>,
    ref: ObjectRef,
    options: CallOptions & { metadataOnly: true },
  ): Promise<PartialObject | undefined>;
  get<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef, options: ReadOptions): Promise<T | undefined>;
  /** All objects as of one moment, fetched in pages. */
  list<T extends KubeObject>(
    resource: Resource<T>,
    selection: Selection,
    options: ListOptions & { metadataOnly: true },
  ): Promise<ObjectList<PartialObject>>;
  list<T extends KubeObject>(resource: Resource<T>, selection: Selection, options: ListOptions): Promise<ObjectList<T>>;
  /** One page after the other, all as of one moment. Throws 410 `Expired` when the server forgets that moment midway. */
  pages<T extends KubeObject>(
    resource: Resource<T>,
    selection: Selection,
    options: ListOptions,
  ): AsyncGenerator<ObjectList<T>, void>;
  create<T extends KubeObject>(resource: Resource<T>, object: T, options: CallOptions): Promise<T>;
  /** Fails with 409 `Conflict` when `metadata.resourceVersion` is given and no longer current. */
  update<T extends KubeObject>(resource: Resource<T>, object: T, options: CallOptions): Promise<T>;
  updateStatus<T extends KubeObject>(resource: Resource<T>, object: T, options: CallOptions): Promise<T>;
  patch<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef, patch: Patch, options: CallOptions): Promise<T>;
  /** `deleted` also when the object stays until its finalizers are done. */
  delete<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef, options: DeleteOptions): Promise<"deleted" | "absent">;
  /** Events until the server ends the watch, after 5 to 10 minutes. See `readWatch` for how else it ends. */
  watch<T extends KubeObject>(
    resource: Resource<T>,
    selection: WatchSelection,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>, void, undefined>;
  /** Any path, for example `/readyz`. Answers of all statuses are returned, none is an `ApiError`. */
  raw(call: RawCall, options: CallOptions): Promise<{ status: number; body: string }>;
}

export interface ClientDeps {
  readonly log: KubeLog;
  /** As the server logs it, `program/version`. */
  readonly userAgent: string;
  readonly clock?: Clock;
}

/** Makes the client; nothing is sent and no file is read until it is used. Disposing closes its idle connections. */
export function createKubeClient(config: KubeConfig, { log, userAgent, clock = realClock }: ClientDeps): KubeClient {
  const session = createSession(config, { log, userAgent, clock });
  const { call, exchange } = createCaller(session);

  const typed = <T extends KubeObject>(resource: Resource<T>, object: T): T => ({
    ...object,
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
  });

  return {
    async get<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef, options: ReadOptions) {
      const accept = options.metadataOnly ? ACCEPT_METADATA : ACCEPT_JSON;
      return orAbsent(call<T>("GET", objectPath(resource, ref), options, { accept }), undefined);
    },
    list: (resource: Resource, selection: Selection, options: ListOptions) => listAll(call, resource, selection, options),
    pages: (resource, selection, options) => listPages(call, resource, selection, options),
    create: (resource, object, options) =>
      call("POST", collectionPath(resource, scopeOf(resource, object.metadata.namespace)), options, {
        body: typed(resource, object),
      }),
    update: (resource, object, options) =>
      call("PUT", objectPath(resource, object.metadata), options, { body: typed(resource, object) }),
    updateStatus: (resource, object, options) =>
      call("PUT", objectPath(resource, object.metadata, "status"), options, { body: typed(resource, object) }),
    patch: (resource, ref, patch, options) =>
      call("PATCH", objectPath(resource, ref, patch.subresource) + patchQuery(patch), options, {
        body: patch.body,
        contentType: patchType(patch),
      }),
    delete(resource, ref, options) {
      const { uid, resourceVersion, gracePeriodSeconds, propagationPolicy } = options;
      const preconditions = { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) };
      const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions, gracePeriodSeconds, propagationPolicy };
      const deleted = call("DELETE", objectPath(resource, ref), options, { body }).then(() => "deleted" as const);
      return orAbsent(deleted, "absent" as const);
    },
    watch: (resource, selection, options) => watchEvents(session, resource, selection, options),
    async raw({ method, path, body }, options) {
      const answer = await exchange(method, path, options, { accept: "*/*", body });
      return { status: answer.status, body: answer.body };
    },
    [Symbol.dispose]: () => session[Symbol.dispose](),
  };
}

/** `absent` for a missing object; not for a resource that the server does not know, whose 404 names no object. */
async function orAbsent<T, A>(result: Promise<T>, absent: A): Promise<T | A> {
  try {
    return await result;
  } catch (error) {
    if (isApiError(error, "NotFound") && error.details?.name) return absent;
    throw error;
  }
}
