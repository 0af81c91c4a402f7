import { addressEquals } from "../ip/address.ts";
import { FAMILIES } from "../ip/family.ts";
import { type NetNamespace, openCurrentNetNamespace } from "../linux/netns/namespace.ts";
import type { RouteSocket } from "../linux/route/socket.ts";
import { type Clock, realClock } from "../observe/clock.ts";
import type { Logger } from "../observe/logger.ts";
import type { NodeAddresses } from "../podnet/node-addresses.ts";
import type { KnownPod, ObservedPod } from "../podnet/observed-pods.ts";
import type { PodAttachment, PodNetConfig } from "../podnet/plan.ts";
import { abortable } from "./abortable.ts";
import { createKeyLocks } from "./key-locks.ts";
import { checkPod } from "./pod/check.ts";
import { createDriftJournal } from "./pod/drift-journal.ts";
import { createHostSettings } from "./pod/host-settings.ts";
import { type Kernel, linuxKernel } from "./pod/kernel.ts";
import { createLinkClaims } from "./pod/link-claims.ts";
import { createLinkRemover } from "./pod/link-remover.ts";
import { noMetrics, type PodNetworkMetrics } from "./pod/metrics.ts";
import { createNodeFacts } from "./pod/node-facts.ts";
import { createPodIndex } from "./pod/pod-index.ts";
import { createRepairer } from "./pod/repairer.ts";
import { type SetUpContext, setUpPod } from "./pod/set-up.ts";
import { createSharedBatches } from "./pod/shared-batches.ts";
import { openTarget } from "./pod/target.ts";
import { createTearDown } from "./pod/tear-down.ts";
import { type WatchPeriods, watchHost } from "./pod/watch.ts";

/** What is configured of a node's pod network. */
export interface PodNetworkConfig {
  /** Routing table of the pods' routes. */
  readonly podTable: number;
  /** Priority of the rule that leads there. */
  readonly rulePriority: number;
  /** Protocol number of our routes. */
  readonly protocol: number;
  readonly nodeAddresses: NodeAddresses;
  /** Interface names as Calico's policy engine expects them. */
  readonly compatCalico: boolean;
  /** MTU of pods in bytes; found out, and followed, if absent. */
  readonly mtu?: number | undefined;
}

/** What CNI's result tells of a pod's interface. */
export interface PodInterface {
  readonly hostInterface: string;
  readonly hostMac: string;
  readonly podMac: string;
  readonly mtu: number;
}

/** A pod's namespace, as the runtime names it, and how long to try. */
export interface SetUpOptions {
  readonly netns: string;
  readonly signal: AbortSignal;
}

/** The network of all pods of a host. Call {@link PodNetwork.initialise} first, and {@link PodNetwork.run} as long as it is used. */
export interface PodNetwork extends AsyncDisposable {
  /** Prepares the host, takes in the pods that are there, also those of the Go implementation, and restores what they have lost. */
  initialise(signal: AbortSignal): Promise<void>;
  /** Makes a pod's network; one that is there and whole is kept. Rejects with `PodNetworkError` or `signal.reason`, with nothing left. */
  setUp(attachment: PodAttachment, options: SetUpOptions): Promise<PodInterface>;
  /** Resolves when the kernel has no link of that key any more. */
  tearDown(key: string, options: { readonly signal: AbortSignal }): Promise<"removed" | "absent">;
  /** What is wrong with a pod's network, in words. */
  check(attachment: PodAttachment, options: SetUpOptions): Promise<string[]>;
  /** The pods of this host, as the kernel has them. */
  observed(): ObservedPod[];
  /** Calls back when a pod's link has vanished without a tear-down: nobody holds its addresses any more. Returns how to end that. */
  onGone(listener: (key: string) => void): () => void;
  /** The node's addresses are others now: its traffic to pods gets the new source. */
  setNodeAddresses(addresses: NodeAddresses): Promise<void>;
  /** What stands against traffic of pods on this host, in words. */
  problems(): string[];
  /** Watches the kernel, and puts back within a second what others remove or alter. Ends when aborted. */
  run(signal: AbortSignal): Promise<void>;
}

/** What a pod network works with. */
export interface PodNetworkDeps {
  readonly config: PodNetworkConfig;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly metrics?: PodNetworkMetrics;
  readonly kernel?: Kernel;
  readonly periods?: WatchPeriods;
}

const PERIODS: WatchPeriods = { settingsMs: 500, everythingMs: 30_000 };
/** What the kernel gives a veth that is created without. */
const DEFAULT_MTU = 1500;

/** The pod network of the host whose namespace is `namespace`, the current one if absent. It is not closed here. */
export function createPodNetwork(deps: PodNetworkDeps, { namespace }: { readonly namespace?: NetNamespace } = {}): PodNetwork {
  const { config, log, clock = realClock, metrics = noMetrics, kernel = linuxKernel, periods = PERIODS } = deps;
  const resources = new DisposableStack();
  const hostInode = inodeOf(namespace);
  const open = () => resources.use(kernel.openRouteSocket(namespace));
  // One for set-ups, one for deletions, which take long, and one for dumps.
  const hostSocket = open();
  const shared = createSharedBatches(hostSocket);
  const host: RouteSocket = { ...hostSocket, tryBatch: (requests) => shared.tryBatch(requests) };
  const remover = createLinkRemover({ socket: open(), log });
  const reader = open();

  const pods = createPodIndex();
  const locks = createKeyLocks();
  const claims = createLinkClaims({ isKnown: (index) => pods.byLink(index) !== undefined });
  const journal = createDriftJournal({ log, clock, count: (kind) => metrics.driftRepaired(kind) });
  const rule = { priority: config.rulePriority, table: config.podTable };
  const settings = createHostSettings({ kernel, namespace, socket: reader, rule, journal });
  const facts = createNodeFacts(reader, { addresses: config.nodeAddresses, mtu: config.mtu });
  const listeners = new Set<(key: string) => void>();

  function effective(): PodNetConfig {
    const { podTable, protocol, compatCalico } = config;
    const { ipv4, ipv6 } = facts.sources;
    return { podTable, protocol, compatCalico, mtu: facts.mtu, ...(ipv4 && { nodeIPv4: ipv4 }), ...(ipv6 && { nodeIPv6: ipv6 }) };
  }

  /** What happens to a pod that is being torn down is our own doing. */
  function unlessLeaving(pod: KnownPod | undefined): KnownPod | undefined {
    return pod && remover.isRemoving(pod.index) ? undefined : pod;
  }

  function tellGone(key: string): void {
    for (const listener of listeners) listener(key);
  }

  function gone(pod: KnownPod): void {
    pods.delete(pod.key);
    log.warn({ key: pod.key, hostInterface: pod.hostInterface }, "the host interface of a pod vanished");
    tellGone(pod.key);
  }

  const refreshSources = () => facts.refreshSources();
  const repairer = createRepairer({
    kernel,
    log,
    socket: reader,
    pods,
    claims,
    remover,
    journal,
    config: effective,
    gone,
    tookBack: tellGone,
    refreshSources,
  });
  const tearDown = createTearDown({ host, pods, remover, metrics });
  const context: SetUpContext = {
    kernel,
    host,
    hostNamespace: namespace,
    remover,
    claims,
    metrics,
    clock,
    config: effective,
    refreshSources,
    refuseAdvertisements: (hostInterface) => settings.refuseAdvertisements(hostInterface),
    displaced(key) {
      const pod = pods.get(key);
      if (pod) gone(pod);
    },
  };

  async function reuse(attachment: PodAttachment, target: ReturnType<typeof openTarget>): Promise<PodInterface | undefined> {
    const known = pods.get(attachment.key);
    if (!known) return undefined;
    const isWhole = known.origin === "ours" && !remover.isRemoving(known.index);
    if (isWhole && FAMILIES.every((family) => sameAddress(known[family], attachment[family]))) {
      const { problems, mtu } = await checkPod(attachment, known, { host, target, config: effective() });
      if (problems.length === 0) return interfaceOf(known, mtu);
      log.info({ key: attachment.key, problems }, "building a pod's network again");
    }
    await tearDown.removePod(known);
    return undefined;
  }

  return {
    async initialise(signal) {
      settings.ensureForwarding();
      await settings.ensureRules();
      await facts.refreshSources();
      await facts.refreshMtu();
      await repairer.repairAll();
      signal.throwIfAborted();
    },
    async setUp(attachment, { netns, signal }) {
      using _permit = await locks.acquire(attachment.key, { signal });
      const started = performance.now();
      using target = openTarget(kernel, netns, hostInode);
      metrics.phase("namespace", (performance.now() - started) / 1000);
      const there = await reuse(attachment, target);
      if (there) return there;
      const { pod, mtu } = await setUpPod({ context, attachment, target, signal }, (made) => pods.set(made));
      return interfaceOf(pod, mtu);
    },
    async tearDown(key, { signal }) {
      using _permit = await locks.acquire(key, { signal });
      // A deletion cannot be called back: whoever asks next joins it.
      return abortable(tearDown.removeKey(key), signal);
    },
    async check(attachment, { netns, signal }) {
      using _permit = await locks.acquire(attachment.key, { signal });
      const known = pods.get(attachment.key);
      if (!known) return ["the host has no interface of this attachment"];
      using target = openTarget(kernel, netns, hostInode);
      const { problems } = await checkPod(attachment, known, { host, target, config: effective() });
      return problems;
    },
    observed: () => pods.all(),
    onGone(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async setNodeAddresses(addresses) {
      facts.setNodeAddresses(addresses);
      if (await facts.refreshSources()) await repairer.repairAll({ planned: true });
    },
    problems: () => [...settings.problems(), ...facts.problems()],
    run: (signal) =>
      watchHost(
        {
          kernel,
          namespace,
          clock,
          log,
          repairer,
          settings,
          facts,
          periods,
          concerned: {
            podTable: config.podTable,
            rulePriority: config.rulePriority,
            podByLink: (index) => unlessLeaving(pods.byLink(index)),
            podByAddress: (address) => unlessLeaving(pods.byAddress(address)),
            isNodeAddress: (address) => facts.isNodeAddress(address),
            sourceOf: (family) => facts.sources[family],
          },
          linkGone(index) {
            claims.vanish(index);
            const pod = pods.byLink(index);
            if (pod && !remover.isRemoving(index)) gone(pod);
          },
        },
        signal,
      ),
    async [Symbol.asyncDispose]() {
      await remover.idle();
      resources.dispose();
    },
  };
}

function inodeOf(namespace: NetNamespace | undefined): bigint {
  if (namespace) return namespace.inode;
  using current = openCurrentNetNamespace();
  return current.inode;
}

function sameAddress(a: KnownPod["ipv4"], b: KnownPod["ipv4"]): boolean {
  return a && b ? addressEquals(a, b) : a === b;
}

function interfaceOf({ hostInterface, macs }: KnownPod, mtu: number | undefined): PodInterface {
  return { hostInterface, hostMac: macs.host, podMac: macs.pod, mtu: mtu || DEFAULT_MTU };
}
