import type { KubeClient } from "../../kube/client.ts";
import { createLeaderElector } from "../../kube/leader-election.ts";
import { realClock } from "../../observe/clock.ts";
import type { FlagValues } from "../../observe/flags.ts";
import { createHealth } from "../../observe/health.ts";
import { serveHealth, serveMetrics } from "../../observe/http-health.ts";
import { createKubeMetrics } from "../../observe/kube-metrics.ts";
import type { Logger } from "../../observe/logger.ts";
import { createRegistry } from "../../observe/metrics.ts";
import { registerProcessMetrics } from "../../observe/process-metrics.ts";
import { runTogether } from "../../observe/run.ts";
import { createWatchdog } from "../../observe/watchdog.ts";
import { isAnswered } from "../../reconcile/block-request-status.ts";
import { createCaches, namedCaches } from "./caches.ts";
import type { IPAM_CONTROLLER_FLAGS } from "./flags.ts";
import { leadIpam } from "./lead.ts";
import { createControllerMetrics } from "./metrics.ts";

export interface ControllerDeps {
  readonly client: KubeClient;
  /** Another connection, so that the Lease is renewed in time also when the first one is busy. */
  readonly electionClient: KubeClient;
  /** Unique for each process. */
  readonly identity: string;
  readonly log: Logger;
}

/** The Lease that every version of this controller takes, the Go implementation included. */
const LEASE = "coil-ipam-leader";
/** No piece of work takes longer while the process is sound, in ms. */
const STUCK_MS = 120_000;
/** The API server lets hear from itself about once a minute; after five the watch is not what it should be, in ms. */
const SILENCE_MS = 300_000;

/** Runs the controller until aborted. Rejects when the Lease is lost: then the process has to end. */
export async function runIpamController(
  { client, electionClient, identity, log }: ControllerDeps,
  flags: FlagValues<typeof IPAM_CONTROLLER_FLAGS>,
  signal: AbortSignal,
): Promise<void> {
  const registry = createRegistry();
  registerProcessMetrics(registry, { program: "coil-ipam-controller" });
  const kubeMetrics = createKubeMetrics(registry);
  const caches = createCaches(client, { log: log.child({ component: "watch" }), metrics: kubeMetrics });
  const pendingRequests = () => caches.requests.list().filter((request) => !isAnswered(request)).length;
  const metrics = createControllerMetrics(registry, { pendingRequests });
  const elapsed = () => performance.now();
  const watchdog = createWatchdog({ limitMs: STUCK_MS, now: elapsed });
  const health = createHealth();
  health.addLiveness("work", watchdog.check);
  for (const { name, cache } of namedCaches(caches)) {
    health.addReadiness(name, () => (cache.isSynced ? undefined : "not listed yet"));
    health.addLiveness(name, () => {
      const silence = cache.lastContact;
      return cache.isSynced && silence > SILENCE_MS ? `nothing heard for ${Math.round(silence / 1000)} s` : undefined;
    });
  }
  await using _metricsServer = await serveMetrics(flags["metrics-addr"], registry);
  await using _healthServer = await serveHealth(flags["health-addr"], health);

  const elector = createLeaderElector({
    ...{ client: electionClient, identity, name: LEASE, namespace: flags["leader-election-namespace"] },
    log: log.child({ component: "leader-election" }),
  });
  const deps = { client, caches, metrics, kubeMetrics, watchdog, clock: realClock, elapsed, log };
  const options = {
    workers: flags.workers,
    gcIntervalMs: flags["gc-interval"],
    vanishedNodeGraceMs: flags["vanished-node-grace"],
  };
  await runTogether(signal, [
    ...namedCaches(caches).map(
      ({ cache }) =>
        (aborted: AbortSignal) =>
          cache.run(aborted),
    ),
    async (aborted) => {
      const outcome = await elector.run(aborted, (leading) => leadIpam(deps, options, leading));
      if (outcome === "lost") throw new Error(`Lost the Lease ${flags["leader-election-namespace"]}/${LEASE}`);
    },
  ]);
}
