import { ApiError } from "./api-error.ts";
import type { KubeClient } from "./client.ts";
import { type Clock, realClock } from "./clock.ts";
import { linkedController } from "./deadline.ts";
import type { KubeLog } from "./log.ts";
import type { KubeObject } from "./object.ts";
import { apiVersionOf, type Resource } from "./resource.ts";
import { type Event, events } from "./resources.ts";

export interface EventRecorderOptions {
  readonly client: Pick<KubeClient, "create" | "patch">;
  /** Name of the program. */
  readonly component: string;
  /** Where it runs, for example the node or pod name. */
  readonly instance: string;
  readonly log: KubeLog;
  readonly clock?: Clock;
}

/** What happened to an object, for people who run `kubectl describe`. */
export interface EventText {
  readonly type: "Normal" | "Warning";
  /** Machine-readable, CamelCase. */
  readonly reason: string;
  readonly message: string;
}

/** Writes Events in the background. The same event again becomes a count; an object that has too many loses the rest. */
export interface EventRecorder {
  /** Takes note and returns; nothing is ever thrown, and events may be lost. */
  record<T extends KubeObject>(resource: Resource<T>, object: KubeObject, text: EventText): void;
  /** Sends until aborted, then tries for a second to send the rest. */
  run(signal: AbortSignal): Promise<void>;
}

interface Entry {
  event: Event;
  /** Whether the server has it. */
  sent: boolean;
}

// client-go's limits: 25 events of an object at once, then one in five minutes.
const BURST = 25;
const REFILL_MS = 300_000;
const MAX_ENTRIES = 1000;
const MAX_MESSAGE = 1024;
const LAST_FLUSH_MS = 1000;
const RETRY_MS = 1000;
const MAX_TRIES = 5;

/** Makes a recorder; nothing is sent before it runs. */
export function createEventRecorder({
  client,
  component,
  instance,
  log,
  clock = realClock,
}: EventRecorderOptions): EventRecorder {
  /** By what makes events the same; the least recently used first. */
  const entries = new Map<string, Entry>();
  const buckets = new Map<string, { tokens: number; at: number }>();
  const unsent = new Set<string>();
  let wake = () => {};
  let serial = 0;

  const allow = (subject: string): boolean => {
    const now = clock.now();
    const bucket = buckets.get(subject) ?? { tokens: BURST, at: now };
    buckets.delete(subject);
    trim(buckets);
    buckets.set(subject, bucket);
    bucket.tokens = Math.min(BURST, bucket.tokens + (now - bucket.at) / REFILL_MS);
    bucket.at = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  };

  const eventFor = (resource: Resource, { metadata }: KubeObject, { type, reason, message }: EventText): Event => {
    const at = new Date().toISOString().replace(/\.\d+Z$/, "Z");
    const unique = `${Date.now().toString(16)}${(serial++ & 0xffff).toString(16).padStart(4, "0")}`;
    const { name, uid, resourceVersion } = metadata;
    return {
      // Events of cluster-scoped objects go where kubectl looks for them.
      metadata: { name: `${name.slice(0, 230)}.${unique}`, namespace: metadata.namespace ?? "default" },
      involvedObject: {
        apiVersion: apiVersionOf(resource),
        kind: resource.kind,
        name,
        ...(metadata.namespace && { namespace: metadata.namespace }),
        ...(uid && { uid }),
        ...(resourceVersion && { resourceVersion }),
      },
      type,
      reason,
      message: message.slice(0, MAX_MESSAGE),
      source: { component, host: instance },
      reportingComponent: component,
      reportingInstance: instance,
      firstTimestamp: at,
      lastTimestamp: at,
      count: 1,
    };
  };

  const send = async (entry: Entry, signal: AbortSignal): Promise<void> => {
    const { event } = entry;
    if (entry.sent) {
      const body = { count: event.count, lastTimestamp: event.lastTimestamp };
      try {
        await client.patch(events, ref(event), { type: "merge", body }, { signal });
        return;
      } catch (error) {
        // The server keeps events for an hour.
        if (!(error instanceof ApiError && error.status === 404)) throw error;
      }
    }
    await client.create(events, event, { signal });
    entry.sent = true;
  };

  /** Sends what waits. What is refused is dropped; what got no answer is tried again a few times. */
  const flush = async (signal: AbortSignal): Promise<void> => {
    for (const key of [...unsent]) {
      const entry = entries.get(key);
      unsent.delete(key);
      for (let tries = 1; entry && tries <= MAX_TRIES; tries++) {
        try {
          await send(entry, signal);
          break;
        } catch (err) {
          if (signal.aborted) {
            unsent.add(key);
            return;
          }
          log.debug({ err, reason: entry.event.reason, object: entry.event.involvedObject.name }, "an event could not be sent");
          if (err instanceof ApiError && err.status < 500) break;
          await clock.sleep(RETRY_MS, { signal }).catch(() => undefined);
        }
      }
    }
  };

  return {
    record(resource, object, text) {
      const subject = object.metadata.uid ?? `${resource.plural}/${object.metadata.namespace ?? ""}/${object.metadata.name}`;
      if (!allow(subject)) {
        log.debug({ object: object.metadata.name, ...text }, "too many events of an object: dropped one");
        return;
      }
      const key = [subject, text.type, text.reason, text.message].join("\n");
      const event = eventFor(resource, object, text);
      const known = entries.get(key);
      entries.delete(key);
      trim(entries);
      if (known) {
        known.event = { ...known.event, count: (known.event.count ?? 1) + 1, lastTimestamp: event.lastTimestamp ?? "" };
        entries.set(key, known);
      } else entries.set(key, { event, sent: false });
      unsent.add(key);
      wake();
    },
    async run(signal) {
      while (!signal.aborted) {
        await flush(signal);
        if (unsent.size > 0 || signal.aborted) continue;
        const added = Promise.withResolvers<void>();
        wake = added.resolve;
        signal.addEventListener("abort", wake, { once: true });
        await added.promise;
        signal.removeEventListener("abort", wake);
        wake = () => {};
      }
      using last = linkedController(undefined, LAST_FLUSH_MS);
      await flush(last.signal);
    },
  };
}

function ref({ metadata }: Event) {
  return { name: metadata.name, namespace: metadata.namespace ?? "default" };
}

/** Makes room for one more. */
function trim(map: Map<string, unknown>): void {
  for (const oldest of map.keys()) {
    if (map.size < MAX_ENTRIES) return;
    map.delete(oldest);
  }
}
