import { stat } from "node:fs/promises";
import { createRouteExporter } from "../../apply/exported-routes.ts";
import { createPodNetworkMetrics } from "../../apply/pod/metrics.ts";
import { createPodNetwork } from "../../apply/pod-network.ts";
import type { KubeClient } from "../../kube/client.ts";
import { realClock } from "../../kube/clock.ts";
import type { EventRecorder } from "../../kube/event-recorder.ts";
import { nodes } from "../../kube/resources.ts";
import type { NetNamespace } from "../../linux/netns/namespace.ts";
import { openRouteSocket } from "../../linux/route/socket.ts";
import type { Health } from "../../observe/health.ts";
import type { Logger } from "../../observe/logger.ts";
import type { Registry } from "../../observe/metrics.ts";
import { runTogether } from "../../observe/run.ts";
import type { Watchdog } from "../../observe/watchdog.ts";
import { nodeAddresses } from "../../podnet/node-addresses.ts";
import { intentDirectory } from "../../rpc/intent.ts";
import { startRpcServer } from "../../rpc/server.ts";
import { adoptPods, recallFreed } from "./adopt.ts";
import { createAttachments } from "./attachments.ts";
import type { Caches } from "./caches.ts";
import { namedCaches } from "./caches.ts";
import { createCniHandlers } from "./cni-handlers.ts";
import type { CoildFlags } from "./flags.ts";
import { followNode } from "./follow-node.ts";
import { createFreedLog } from "./freed-log.ts";
import { createIntentFolder } from "./intent-folder.ts";
import { keepClean } from "./keep-clean.ts";
import { type CoildMetrics, createCoildMetrics } from "./metrics.ts";
import { createNodeAddressing } from "./node-addressing.ts";
import { createPodDirectory } from "./pod-directory.ts";
import { createSocketKeeper } from "./socket-keeper.ts";
import { nodeState } from "./state.ts";

export interface ServeNodeDeps {
  readonly client: KubeClient;
  readonly caches: Caches;
  readonly events: EventRecorder;
  readonly node: string;
  readonly registry: Registry;
  readonly health: Health;
  readonly watchdog: Watchdog;
  readonly log: Logger;
  readonly namespace: NetNamespace | undefined;
}

/**
 * Serves the pods of this node until aborted. First the truth is gathered, from the kernel and then from the API; the socket is bound
 * when an ADD can be served.
 */
export async function serveNode(deps: ServeNodeDeps, flags: CoildFlags, signal: AbortSignal): Promise<void> {
  const { client, caches, events, node, registry, health, watchdog, log, namespace } = deps;
  const clock = realClock;
  let starting: string | undefined = "starting";
  const hostNamespace = namespace && { namespace };
  const podMetrics = createPodNetworkMetrics(registry);

  health.addReadiness("kernel", () => starting);
  health.addReadiness("node", () => (caches.node.get(node) ? undefined : `there is no Node object ${node}`));
  await untilSynced(caches.node.synced, signal);

  await using network = createPodNetwork(
    {
      config: {
        ...{ podTable: flags["pod-table-id"], rulePriority: flags["pod-rule-prio"], protocol: flags["protocol-id"] },
        ...{ nodeAddresses: nodeAddresses(caches.node.get(node)), compatCalico: flags["compat-calico"] },
      },
      ...{ log: log.child({ component: "pod-network" }), metrics: podMetrics },
    },
    hostNamespace,
  );
  await using exporter = createRouteExporter(
    { table: flags["export-table-id"], protocol: flags["protocol-id"] },
    { log: log.child({ component: "export" }), driftRepaired: podMetrics.driftRepaired, namespace },
  );
  using links = openRouteSocket(namespace);

  const base = flags.socket.replace(/\.sock$/, "");
  const freedLog = createFreedLog(`${base}.freed`, { log, now: () => Date.now() });
  let metrics: CoildMetrics;
  const addressing = createNodeAddressing(
    {
      ...{ client, caches, node, exporter, clock, log, signal },
      ...{ freed: (addresses) => freedLog.append(addresses), metrics: () => metrics },
    },
    flags,
  );
  const { ipam, desk } = addressing;
  metrics = createCoildMetrics(registry, {
    ...{ usage: () => ipam.usage(), queues: () => desk.queues(), attachments: () => network.observed().length },
  });
  const intents = createIntentFolder(intentDirectory(flags.socket), { log, clock });
  const attachments = createAttachments({
    ...{ network, desk, ipam, intents, metrics, log: log.child({ component: "attachments" }) },
    directory: createPodDirectory(client, caches),
  });
  network.onGone((key) => void attachments.vanished(key));
  const readiness = () => {
    const failed = health.readiness().checks.find(({ problem }) => problem !== undefined);
    return failed && `${failed.name}: ${failed.problem}`;
  };
  const handlers = createCniHandlers({ attachments, problem: readiness, events, metrics, watchdog, log });
  const views = { "/v1/state": () => nodeState({ node, ipam, desk, network, exporter, problem: readiness() }) };
  const keeper = createSocketKeeper(() => startRpcServer({ socket: flags.socket, calls: handlers, views }), {
    exists: () =>
      stat(flags.socket).then(
        () => true,
        () => false,
      ),
    ...{ clock, log },
  });
  health.addReadiness("socket", () => keeper.problem());
  signal.addEventListener("abort", () => attachments.stop(), { once: true });

  /** What is known of the kernel is joined with what the API says; then the table of exports is written, not before. */
  async function join(aborted: AbortSignal): Promise<void> {
    for (const { cache } of namedCaches(caches)) await untilSynced(cache.synced, aborted);
    addressing.start();
    followNode({ caches, node, network, log });
    await runTogether(aborted, [(ended) => addressing.run(ended), open]);
  }

  async function open(aborted: AbortSignal): Promise<void> {
    await untilSynced(addressing.exported, aborted);
    await intents.replayAll((intent) => attachments.replay(intent));
    starting = undefined;
    log.info({ pods: network.observed().length, blocks: addressing.blocks().length }, "serving");
    await runTogether(aborted, [
      (ended) => keeper.run(ended),
      (ended) => intents.run((intent) => attachments.replay(intent), ended),
      (ended) => keepClean({ node, client, network, links, attachments, desk, ipam, clock, log }, flags, ended),
    ]);
  }

  recallFreed(ipam, await freedLog.load(), { now: clock.now(), wallTime: Date.now() });
  await network.initialise(signal);
  adoptPods(ipam, network.observed(), log);
  await runTogether(signal, [(aborted) => network.run(aborted), (aborted) => exporter.run(aborted), join]);
  await freedLog.settled();
  if (flags["clear-routes-on-shutdown"]) await clearRoutes();

  /** The reference withdraws what a node that was deleted exported at this point; here it is gone as a rule. */
  async function clearRoutes(): Promise<void> {
    const found = await client.get(nodes, { name: node }, { signal: AbortSignal.timeout(CLEAR_MS), metadataOnly: true });
    if (!found) await exporter.apply([]);
  }
}

/** For the question whether the Node is still there, at the end, in ms. */
const CLEAR_MS = 10_000;

async function untilSynced(synced: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const leave = () => reject(signal.reason);
  signal.addEventListener("abort", leave, { once: true });
  try {
    await Promise.race([synced, promise]);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}
