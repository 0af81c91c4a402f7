import { counter, gauge, histogram, type Registry } from "./metrics.ts";

/** What work queues report; fits the queues of `src/kube`. */
export interface QueueMetrics {
  depth(length: number): void;
  reconciled(outcome: "done" | "requeued" | "failed", durationMs: number): void;
}

/** What watch caches report; fits the caches of `src/kube`. */
export interface CacheMetrics {
  opened(how: "list" | "resume"): void;
  changed(type: "added" | "modified" | "deleted"): void;
}

/** Counters for the queues and caches of a program. */
export interface KubeMetrics {
  queue(name: string): QueueMetrics;
  cache(resource: string): CacheMetrics;
}

/** Registers the series. Those of queues have the names that dashboards for Go controllers ask for. */
export function createKubeMetrics(registry: Registry): KubeMetrics {
  const depth = gauge(registry, "workqueue_depth", "Keys that wait in a work queue.", { labelNames: ["name"] });
  const time = histogram(registry, "controller_runtime_reconcile_time_seconds", "Time to reconcile one key.", {
    labelNames: ["controller"],
  });
  const total = counter(registry, "controller_runtime_reconcile_total", "Reconciliations by result.", ["controller", "result"]);
  const events = counter(registry, "coil_watch_events_total", "Changes that watches told of.", ["resource", "type"]);
  const opened = counter(registry, "coil_watch_opened_total", "Watches opened, with a full list or resumed.", [
    "resource",
    "how",
  ]);
  return {
    queue(name) {
      depth.set({ name }, 0);
      for (const result of RESULTS) total.inc({ controller: name, result }, 0);
      return {
        depth: (length) => depth.set({ name }, length),
        reconciled(outcome, durationMs) {
          time.observe({ controller: name }, durationMs / 1000);
          total.inc({ controller: name, result: outcome });
        },
      };
    },
    cache: (resource) => ({
      opened: (how) => opened.inc({ resource, how }),
      changed: (type) => events.inc({ resource, type }),
    }),
  };
}

const RESULTS = ["done", "requeued", "failed"] as const;
