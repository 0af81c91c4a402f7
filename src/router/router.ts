import { createMainRoutes } from "../apply/main-routes.ts";
import { createDriftCounter } from "../apply/pod/metrics.ts";
import type { KubeClient } from "../kube/client.ts";
import type { NetNamespace } from "../linux/netns/namespace.ts";
import { realClock } from "../observe/clock.ts";
import type { FlagValues } from "../observe/flags.ts";
import { createHealth } from "../observe/health.ts";
import { serveHealth, serveMetrics } from "../observe/http-health.ts";
import { createKubeMetrics } from "../observe/kube-metrics.ts";
import type { Logger } from "../observe/logger.ts";
import { createRegistry } from "../observe/metrics.ts";
import { registerProcessMetrics } from "../observe/process-metrics.ts";
import { runTogether } from "../observe/run.ts";
import { createWatchdog } from "../observe/watchdog.ts";
import { nodeAddresses } from "../podnet/node-addresses.ts";
import { planRouterRoutes, type RouterPlan } from "../podnet/router-routes.ts";
import { createRouterCaches, onRouteChange } from "./caches.ts";
import type { ROUTER_FLAGS } from "./flags.ts";
import { createRouterMetrics } from "./metrics.ts";
import { routerBlock } from "./router-block.ts";
import { createSyncLoop } from "./sync-loop.ts";

export interface RouterDeps {
  readonly client: KubeClient;
  /** Name of the node it runs on. */
  readonly node: string;
  readonly log: Logger;
  /** The host's network namespace; the current one if absent. */
  readonly namespace?: NetNamespace;
}

const STUCK_MS = 120_000;
const SILENCE_MS = 300_000;

/** Keeps routes to the blocks of all other nodes until aborted. Before all nodes and blocks are known nothing is touched. */
export async function runRouter(deps: RouterDeps, flags: FlagValues<typeof ROUTER_FLAGS>, signal: AbortSignal): Promise<void> {
  const { client, node, log, namespace } = deps;
  const registry = createRegistry();
  registerProcessMetrics(registry, { program: "coil-router" });
  const caches = createRouterCaches(client, { log: log.child({ component: "watch" }), metrics: createKubeMetrics(registry) });
  await using routes = createMainRoutes(
    { protocol: flags["protocol-id"] },
    { log: log.child({ component: "routes" }), driftRepaired: createDriftCounter(registry), namespace },
  );
  let wanted = 0;
  let skipped = new Map<string, RouterPlan["skipped"][number]>();
  const state = () => ({ routes: wanted, failed: routes.problems().length, skipped: skipped.size });
  const metrics = createRouterMetrics(registry, { node, state });
  const watchdog = createWatchdog({ limitMs: STUCK_MS, now: () => performance.now() });
  let isReady = false;

  const sync = async (): Promise<void> => {
    const started = performance.now();
    const nodes = caches.nodes.list().map((known) => ({ name: known.metadata.name, ...nodeAddresses(known) }));
    const plan = planRouterRoutes(node, nodes, caches.blocks.list().map(routerBlock));
    const before = skipped;
    skipped = new Map(plan.skipped.map((entry) => [`${entry.block} ${entry.reason}`, entry]));
    for (const [text, entry] of skipped) if (!before.has(text)) log.warn(entry, "no route to a block");
    wanted = plan.routes.length;
    const { added, replaced, removed } = await routes.apply(plan.routes);
    metrics.synced({ added, replaced, removed, durationMs: performance.now() - started });
    if (!isReady || added + replaced + removed > 0) log.info({ ...state(), added, replaced, removed }, "routes synced");
    isReady = true;
  };
  const loop = createSyncLoop({
    ...{ clock: realClock, log, intervalMs: flags["update-interval"] },
    sync: () => watchdog.watch("sync", sync),
    onFailure: metrics.failed,
  });

  const health = createHealth();
  health.addLiveness("sync", watchdog.check);
  for (const [name, cache] of Object.entries(caches)) {
    health.addReadiness(name, () => (cache.isSynced ? undefined : "not listed yet"));
    health.addLiveness(name, () => (cache.isSynced && cache.lastContact > SILENCE_MS ? "nothing heard for long" : undefined));
  }
  health.addReadiness("sync", () => (isReady ? undefined : "no sync yet"));
  await using _metricsServer = await serveMetrics(flags["metrics-addr"], registry);
  await using _healthServer = await serveHealth(flags["health-addr"], health);

  await runTogether(signal, [
    (aborted) => caches.nodes.run(aborted),
    (aborted) => caches.blocks.run(aborted),
    (aborted) => routes.run(aborted),
    async (aborted) => {
      await Promise.all([caches.nodes.synced, caches.blocks.synced]);
      using _listening = onRouteChange(caches, loop.trigger);
      await loop.run(aborted);
    },
  ]);
}
