import { existsSync, rmSync } from "node:fs";
import type { KubeClient } from "../../src/kube/client.ts";
import { createEventRecorder } from "../../src/kube/event-recorder.ts";
import { type Pod, pods } from "../../src/kube/resources.ts";
import { createWatchCache } from "../../src/kube/watch-cache.ts";
import { createWorkQueue } from "../../src/kube/work-queue.ts";
import type { Logger } from "../../src/observe/logger.ts";
import { runTogether } from "../../src/observe/run.ts";
import { writeWhole } from "../cluster/files.ts";
import { cniBinaryDirectory, cniConfigDirectory, kubeletStopped } from "../cluster/layout.ts";
import type { ClusterPlan } from "../cluster/plan.ts";
import { createCniRuntime } from "../cni/runtime.ts";
import type { LightNode } from "./light-node.ts";
import { serveLogs } from "./log-server.ts";
import { createNodeKeeper, type NodeKeeper } from "./node-keeper.ts";
import { openNodeLog } from "./node-log.ts";
import { readPodRecords } from "./pod-record.ts";
import { createPodSync } from "./pod-sync.ts";
import type { KubeletCommand, NodeReport } from "./protocol.ts";
import { collectGarbage, lookAfterAdopted, repeat } from "./upkeep.ts";

/** Pods that are worked on at the same time. */
const CONCURRENCY = 20;
/** Somebody may have taken a namespace away, which tells nobody. */
const RESYNC_MS = 30_000;
const BY_UID = "uid";

export interface KubeletsOptions {
  readonly client: KubeClient;
  readonly plan: ClusterPlan;
  readonly log: Logger;
  /** Called when a node is registered, before it can get ready. */
  readonly onRegistered: (node: string, uid: string, signal: AbortSignal) => Promise<void>;
}

/** The light kubelets of all nodes: they register, start pods and tell how these are. */
export interface Kubelets {
  run(signal: AbortSignal): Promise<void>;
  report(): NodeReport[];
  /** Throws for a node that is not there. */
  set(command: KubeletCommand): void;
}

export function createKubelets({ client, plan, log, onRegistered }: KubeletsOptions): Kubelets {
  const lightNodes = plan.nodes.map(
    (node): LightNode => ({ ...node, cni: cniOf(node.name), active: !existsSync(kubeletStopped(node.name)) }),
  );
  const kubelet = plan.bridgeAddresses[0]?.split("/")[0] ?? "";
  const byName = new Map(lightNodes.map((node) => [node.name, node]));
  const keepers = new Map<string, NodeKeeper>(
    lightNodes.map((node) => {
      const registered = (uid: string, signal: AbortSignal) => onRegistered(node.name, uid, signal);
      return [node.name, createNodeKeeper({ client, node, kubelet, log: openNodeLog(node.name), onRegistered: registered })];
    }),
  );
  const records = new Map(readPodRecords().map((record) => [record.uid, record]));
  const cache = createWatchCache<Pod>(client, { resource: pods, log });
  cache.addIndex(BY_UID, ({ metadata }) => [metadata.uid ?? ""]);
  const events = createEventRecorder({ client, component: "kubelet", instance: "coil-lab", log });
  const sync = createPodSync({
    client,
    log,
    apiService: { host: plan.apiServiceAddress, port: 443 },
    nodes: byName,
    records,
    podByUid: (uid) => cache.byIndex(BY_UID, uid)[0],
    wake: (uid) => queue.add(uid),
    tell: (pod, text) => events.record(pods, pod, text),
  });
  const queue = createWorkQueue<string>({
    name: "pods",
    log,
    concurrency: CONCURRENCY,
    backoff: { baseMs: 200, maxMs: 10_000, jitter: 0.2 },
    reconcile: (uid, signal) => sync.sync(uid, signal),
  });
  cache.onChange(({ object }) => {
    if (!byName.has(object.spec?.nodeName ?? "")) return;
    sync.changed(object);
    queue.add(object.metadata.uid ?? "");
  });

  const wakeAll = () => {
    for (const pod of cache.list()) if (byName.has(pod.spec?.nodeName ?? "")) queue.add(pod.metadata.uid ?? "");
    for (const uid of records.keys()) queue.add(uid);
  };

  return {
    async run(signal) {
      const workOnPods = async (own: AbortSignal) => {
        // Before, a pod that is not in the cache might be one that is not there yet.
        await cache.synced;
        wakeAll();
        await queue.run(own);
      };
      await runTogether(signal, [
        (own) => cache.run(own),
        (own) => events.run(own),
        workOnPods,
        (own) => lookAfterAdopted(records, (uid) => queue.add(uid), own),
        (own) => serveLogs(() => records.values(), own),
        (own) => repeat(RESYNC_MS, own, wakeAll),
        (own) => collectGarbage(lightNodes, { records, log }, own),
        ...[...keepers.values()].map((keeper) => (own: AbortSignal) => keeper.run(own)),
      ]);
    },
    report: () =>
      lightNodes.map(({ name }): NodeReport => {
        const problem = keepers.get(name)?.problem;
        const own = [...records.values()].filter((record) => record.node === name);
        return { name, pods: own.length, ...(problem !== undefined && { problem }) };
      }),
    set({ node: name, active }) {
      const node = byName.get(name);
      if (!node) throw new Error(`there is no node ${name}`);
      if (active) rmSync(kubeletStopped(name), { force: true });
      else writeWhole(kubeletStopped(name), "");
      node.active = active;
      if (!active) return;
      keepers.get(name)?.activate();
      wakeAll();
    },
  };
}

function cniOf(node: string) {
  return createCniRuntime({
    node,
    configDirectory: cniConfigDirectory(node),
    binaryDirectories: [cniBinaryDirectory(node), "/usr/lib/cni"],
  });
}
