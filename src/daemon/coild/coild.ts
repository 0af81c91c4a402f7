import type { KubeClient } from "../../kube/client.ts";
import { createEventRecorder } from "../../kube/event-recorder.ts";
import type { NetNamespace } from "../../linux/netns/namespace.ts";
import { createHealth } from "../../observe/health.ts";
import { serveHealth, serveMetrics } from "../../observe/http-health.ts";
import { createKubeMetrics } from "../../observe/kube-metrics.ts";
import type { Logger } from "../../observe/logger.ts";
import { createRegistry } from "../../observe/metrics.ts";
import { registerProcessMetrics } from "../../observe/process-metrics.ts";
import { runTogether } from "../../observe/run.ts";
import { createWatchdog } from "../../observe/watchdog.ts";
import { createCaches, namedCaches } from "./caches.ts";
import type { CoildFlags } from "./flags.ts";
import { serveNode } from "./serve-node.ts";

export interface CoildDeps {
  readonly client: KubeClient;
  /** Name of this node. */
  readonly node: string;
  readonly log: Logger;
  /** The host's network namespace; the current one if absent. */
  readonly namespace?: NetNamespace | undefined;
}

/** No call takes longer while the process is sound, in ms. */
const STUCK_MS = 120_000;

/** Runs coild until aborted. Rejects when something fails for which only a new start can help. */
export async function runCoild(
  { client, node, log, namespace }: CoildDeps,
  flags: CoildFlags,
  signal: AbortSignal,
): Promise<void> {
  const registry = createRegistry();
  registerProcessMetrics(registry, { program: "coild" });
  const health = createHealth();
  const watchdog = createWatchdog({ limitMs: STUCK_MS, now: () => performance.now() });
  health.addLiveness("calls", watchdog.check);
  await using _metricsServer = await serveMetrics(flags["metrics-addr"], registry);
  await using _healthServer = await serveHealth(flags["health-addr"], health);
  const caches = createCaches(client, { node, log: log.child({ component: "watch" }), metrics: createKubeMetrics(registry) });
  for (const { name, cache } of namedCaches(caches)) {
    health.addReadiness(name, () => (cache.isSynced ? undefined : "not listed yet"));
  }
  const events = createEventRecorder({ client, component: "coild", instance: node, log: log.child({ component: "events" }) });
  await runTogether(signal, [
    ...namedCaches(caches).map(
      ({ cache }) =>
        (aborted: AbortSignal) =>
          cache.run(aborted),
    ),
    (aborted) => events.run(aborted),
    (aborted) => serveNode({ client, caches, events, node, registry, health, watchdog, log, namespace }, flags, aborted),
  ]);
}
