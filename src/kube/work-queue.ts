import { type BackoffOptions, backoffMs } from "./backoff.ts";
import { type Clock, realClock } from "./clock.ts";
import type { KubeLog } from "./log.ts";

/** When the key shall come again though nothing failed. */
export interface Requeue {
  readonly requeueAfterMs: number;
}

export interface WorkQueueOptions<K extends string> {
  /** Brings what the key names closer to what it should be. A rejection is logged and the key comes again after a back-off. */
  readonly reconcile: (key: K, signal: AbortSignal) => Promise<Requeue | undefined> | Promise<void>;
  /** Keys that are worked on at the same time. Default 1. */
  readonly concurrency?: number;
  /** Waits between failures of one key. Default 100 ms to 60 s. */
  readonly backoff?: BackoffOptions;
  readonly log: KubeLog;
  /** For logs. */
  readonly name: string;
  readonly metrics?: WorkQueueMetrics;
  readonly clock?: Clock;
}

/** What a queue counts. */
export interface WorkQueueMetrics {
  /** Keys that wait, without those that wait for a time to come. */
  depth(length: number): void;
  reconciled(outcome: "done" | "requeued" | "failed", durationMs: number): void;
}

/**
 * Keys to work on. A key waits once however often it is added, is never with two workers, and is worked on again after it was
 * added while it was being worked on.
 */
export interface WorkQueue<K extends string> {
  add(key: K): void;
  /** Adds the key when the time has passed; the earliest of several such times counts. */
  addAfter(key: K, ms: number): void;
  /** Works until aborted; then `reconcile` sees the abort and `run` resolves when the last one has returned. */
  run(signal: AbortSignal): Promise<void>;
  /** Keys that wait, without those that wait for a time to come. */
  readonly length: number;
}

interface Delay {
  readonly due: number;
  readonly cancel: AbortController;
}

const BACKOFF: BackoffOptions = { baseMs: 100, maxMs: 60_000, jitter: 0.2 };

/** Makes a queue; keys may be added before it runs. */
export function createWorkQueue<K extends string>(options: WorkQueueOptions<K>): WorkQueue<K> {
  const { reconcile, concurrency = 1, backoff = BACKOFF, log, name, metrics, clock = realClock } = options;
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw new RangeError(`Queue ${name}: concurrency ${concurrency} is not 1 or more`);
  const waiting = new Set<K>();
  const working = new Set<K>();
  /** Added while being worked on. */
  const again = new Set<K>();
  const delayed = new Map<K, Delay>();
  const failures = new Map<K, number>();
  let wake: (() => void)[] = [];
  let ended = false;

  const add = (key: K): void => {
    if (ended) return;
    cancelDelay(key);
    if (working.has(key)) again.add(key);
    else if (!waiting.has(key)) {
      waiting.add(key);
      metrics?.depth(waiting.size);
      wake.shift()?.();
    }
  };

  const cancelDelay = (key: K): void => {
    delayed.get(key)?.cancel.abort();
    delayed.delete(key);
  };

  const addAfter = (key: K, ms: number): void => {
    if (ended) return;
    if (ms <= 0) {
      add(key);
      return;
    }
    const due = clock.now() + ms;
    const earlier = delayed.get(key);
    if (waiting.has(key) || (earlier && earlier.due <= due)) return;
    cancelDelay(key);
    const cancel = new AbortController();
    delayed.set(key, { due, cancel });
    clock.sleep(ms, { signal: cancel.signal }).then(
      () => {
        if (delayed.get(key)?.cancel === cancel) add(key);
      },
      () => undefined,
    );
  };

  const handle = async (key: K, signal: AbortSignal): Promise<void> => {
    const started = clock.now();
    let outcome: "done" | "requeued" | "failed" = "done";
    try {
      const result = await reconcile(key, signal);
      failures.delete(key);
      if (result) {
        outcome = "requeued";
        addAfter(key, result.requeueAfterMs);
      }
    } catch (err) {
      if (signal.aborted) return;
      outcome = "failed";
      const count = (failures.get(key) ?? 0) + 1;
      failures.set(key, count);
      const wait = backoffMs(backoff, count);
      log.warn({ err, queue: name, key, failures: count, waitMs: Math.round(wait) }, "reconciliation failed: trying again");
      addAfter(key, wait);
    } finally {
      metrics?.reconciled(outcome, clock.now() - started);
    }
  };

  const work = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      const [key] = waiting;
      if (key === undefined) {
        await new Promise<void>((resolve) => wake.push(resolve));
        continue;
      }
      waiting.delete(key);
      metrics?.depth(waiting.size);
      working.add(key);
      await handle(key, signal);
      working.delete(key);
      if (again.delete(key)) add(key);
    }
  };

  return {
    add,
    addAfter,
    async run(signal) {
      const end = () => {
        ended = true;
        for (const key of [...delayed.keys()]) cancelDelay(key);
        for (const resolve of wake) resolve();
        wake = [];
      };
      signal.addEventListener("abort", end, { once: true });
      if (signal.aborted) end();
      try {
        await Promise.all(Array.from({ length: concurrency }, () => work(signal)));
      } finally {
        signal.removeEventListener("abort", end);
      }
    },
    get length() {
      return waiting.size;
    },
  };
}
