import type { RouteSocket } from "../../linux/route/socket.ts";
import type { Logger } from "../../observe/logger.ts";
import { describeRepair, type HostRepair, type HostSideState, hostDrift, hostSideOf } from "../../podnet/host-drift.ts";
import { type KnownPod, observePods } from "../../podnet/observed-pods.ts";
import type { PodNetConfig } from "../../podnet/plan.ts";
import type { DriftJournal } from "./drift-journal.ts";
import { completeGoPods } from "./go-pods.ts";
import { type HostSnapshot, readHost, readHostSide } from "./host-reader.ts";
import type { Kernel } from "./kernel.ts";
import type { LinkClaims } from "./link-claims.ts";
import type { LinkRemover } from "./link-remover.ts";
import type { PodIndex } from "./pod-index.ts";
import { repairRequests } from "./requests.ts";

/** Compares what the host has for its pods with what it must have, and puts back what is missing. */
export interface Repairer {
  /** Everything, by dumps. Takes in pods that the index does not know yet, and removes links that nobody finished. */
  repairAll(options?: RepairOptions): Promise<HostSnapshot>;
  /** One pod, read directly. */
  repairPod(key: string): Promise<void>;
}

/** `planned`: what is put back was not altered by others, but is wanted otherwise since then. */
export interface RepairOptions {
  readonly planned?: boolean;
}

interface RepairerOptions {
  readonly kernel: Kernel;
  readonly log: Logger;
  /** For reads and repairs alone, so that set-ups never wait behind a dump. */
  readonly socket: RouteSocket;
  readonly pods: PodIndex;
  readonly claims: LinkClaims;
  readonly remover: LinkRemover;
  readonly journal: DriftJournal;
  config(): PodNetConfig;
  /** The kernel does not know the pod's link any more. */
  gone(pod: KnownPod): void;
  /** A link that could not be taken back after a failed set-up is gone. */
  tookBack(key: string): void;
  refreshSources(): Promise<boolean>;
}

interface Finding {
  readonly pod: KnownPod;
  readonly repairs: readonly HostRepair[];
}

/** A repairer of the pods in `pods`. */
export function createRepairer(options: RepairerOptions): Repairer {
  const { socket, pods, claims, remover, journal } = options;

  function isStill(pod: KnownPod): boolean {
    return pods.get(pod.key) === pod && !remover.isRemoving(pod.index);
  }

  function examine(pod: KnownPod, state: HostSideState | undefined): Finding[] {
    if (!isStill(pod)) return [];
    if (!state) {
      options.gone(pod);
      return [];
    }
    const repairs = hostDrift(hostSideOf(pod, options.config()), state);
    return repairs.length > 0 ? [{ pod, repairs }] : [];
  }

  async function apply(findings: readonly Finding[], { planned = false }: RepairOptions = {}): Promise<void> {
    const tasks = findings.flatMap(({ pod, repairs }) =>
      repairs.flatMap((repair) => repairRequests(repair).map((request) => ({ pod, repair, request }))),
    );
    const results = tasks.length > 0 ? await socket.tryBatch(tasks.map(({ request }) => request)) : [];
    let refused = false;
    for (const [i, { pod, repair }] of tasks.entries()) {
      const error = results[i];
      const what = describeRepair(repair);
      if (!error) {
        if (!planned) journal.repaired(repair.kind, what, { hostInterface: pod.hostInterface, key: pod.key });
      } else if (error.code === "EINVAL" && repair.kind === "route" && repair.route.source) {
        refused = true;
      } else if (error.code !== "ENODEV" || isStill(pod)) {
        journal.failed(`${what} of ${pod.hostInterface}`, error);
      }
    }
    // A source that the node has lost: routes without it are better than none.
    if (refused && (await options.refreshSources())) await repairAll({ planned: true });
  }

  async function removeUnfinished(index: number): Promise<void> {
    try {
      await remover.remove(index);
      const key = claims.absolve(index);
      if (key !== undefined) options.tookBack(key);
    } catch (error) {
      journal.failed(`deletion of the unfinished link ${index}`, error);
    }
  }

  async function repairAll(how?: RepairOptions): Promise<HostSnapshot> {
    const before = pods.all();
    // The dumps may be older than the end of a link that is told of meanwhile.
    using departures = pods.watchDepartures();
    const snapshot = await readHost(socket, options.config().podTable);
    const findings = before.flatMap((pod) => examine(pod, snapshot.stateOf(pod.index)));
    const observed = observePods(snapshot.links, snapshot.routes);
    const condemned = claims.condemned();
    const isBusy = (index: number) =>
      departures.has(index) || claims.isClaimed(index) || remover.isRemoving(index) || pods.byLink(index) !== undefined;
    const fresh = observed.pods.filter(({ key, index }) => !pods.get(key) && !isBusy(index) && !condemned.includes(index));
    const [go, ours] = [fresh.filter(({ origin }) => origin === "go"), fresh.filter(({ origin }) => origin === "ours")];
    for (const pod of [...ours, ...(await completeGoPods(go, snapshot.links, options))]) {
      // Asking takes time, in which it may have been set up again.
      if (pods.get(pod.key) || isBusy(pod.index)) continue;
      pods.set(pod);
      findings.push(...examine(pod, snapshot.stateOf(pod.index)));
    }
    const leftovers = observed.unfinished.map(({ index }) => index).filter((index) => !isBusy(index));
    await Promise.all([apply(findings, how), ...[...leftovers, ...condemned].map(removeUnfinished)]);
    return snapshot;
  }

  return {
    repairAll,
    async repairPod(key) {
      const pod = pods.get(key);
      if (pod) await apply(examine(pod, await readHostSide(socket, pod.index, options.config().podTable)));
    },
  };
}
