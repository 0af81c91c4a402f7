import { KernelError } from "../../linux/kernel-error.ts";
import type { NetNamespace } from "../../linux/netns/namespace.ts";
import type { RouteSocket } from "../../linux/route/socket.ts";
import type { Clock } from "../../observe/clock.ts";
import type { KnownPod } from "../../podnet/observed-pods.ts";
import { type PodAttachment, type PodNetConfig, type PodPlan, planPod } from "../../podnet/plan.ts";
import { PodNetworkError } from "../pod-network-error.ts";
import { addressConflict, clearTheWay } from "./conflicts.ts";
import { applyToEnd, createPair } from "./end.ts";
import type { Kernel } from "./kernel.ts";
import type { LinkClaim, LinkClaims } from "./link-claims.ts";
import type { LinkRemover } from "./link-remover.ts";
import type { PodNetworkMetrics, PodPhase } from "./metrics.ts";
import { untilCarrier, untilLocal } from "./readiness.ts";
import { hostEndRequests, pairRequests, podEndRequests } from "./requests.ts";
import type { Target } from "./target.ts";

/** What a set-up works with. */
export interface SetUpContext {
  readonly kernel: Kernel;
  readonly host: RouteSocket;
  /** The host's side; the current namespace if absent. */
  readonly hostNamespace: NetNamespace | undefined;
  readonly remover: LinkRemover;
  readonly claims: LinkClaims;
  readonly metrics: PodNetworkMetrics;
  readonly clock: Clock;
  /** As it is at the moment. */
  config(): PodNetConfig;
  /** Looks again which addresses of the node can be a source; true when that has changed. */
  refreshSources(): Promise<boolean>;
  /** Called with each new link of the host. */
  refuseAdvertisements(hostInterface: string): void;
  /** A link that was in the way is gone: it belonged to an earlier attachment of the same pod. */
  displaced(key: string): void;
}

/** One set-up. */
export interface SetUp {
  readonly context: SetUpContext;
  readonly attachment: PodAttachment;
  readonly target: Target;
  readonly signal: AbortSignal;
}

/** Rounds of clearing the way before a set-up is given up. */
const MOST_ROUNDS = 6;

/**
 * Makes the pair and all that belongs on both ends, in three batches: the pair, the pod's end, the host's end. The alias comes last,
 * so that a link with one is complete. Whatever fails or is aborted: the pair is deleted before this rejects, and `complete`, which is
 * called in the instant of completion, is not called.
 */
export async function setUpPod(
  setUp: SetUp,
  complete: (pod: KnownPod) => void,
): Promise<{ readonly pod: KnownPod; readonly mtu: number }> {
  const { context, attachment } = setUp;
  for (let round = 0, attempt = 0; round < MOST_ROUNDS; round++) {
    const plan = planned(attachment, context.config(), attempt);
    using claim = context.claims.claim();
    const outcome = await tryOnce(setUp, plan, claim);
    if (outcome === "made") {
      const pod = podOf(attachment, plan, claim.host);
      complete(pod);
      return { pod, mtu: plan.mtu };
    }
    if (outcome === "name-taken") attempt++;
  }
  throw new PodNetworkError("kernel", `Cannot create the host interface of ${attachment.key}: something is always in the way`);
}

function podOf(attachment: PodAttachment, plan: PodPlan, index: number): KnownPod {
  const { key, containerId, ifname, pool, ipv4, ipv6, network, podUid } = attachment;
  const addresses = { ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }) };
  const macs = { host: plan.host.mac, pod: plan.pod.mac };
  return {
    key,
    containerId,
    ifname,
    pool,
    ...addresses,
    network,
    podUid,
    hostInterface: plan.host.name,
    index,
    macs,
    origin: "ours",
  };
}

function planned(attachment: PodAttachment, config: PodNetConfig, attempt: number): PodPlan {
  try {
    return planPod(attachment, config, { attempt });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new PodNetworkError("invalid-attachment", error.message, { cause: error });
  }
}

async function tryOnce(setUp: SetUp, plan: PodPlan, claim: LinkClaim): Promise<"made" | "again" | "name-taken"> {
  const { context, target, signal } = setUp;
  signal.throwIfAborted();
  try {
    const refused = await build(setUp, plan, claim);
    if (!refused) return "made";
    // Refused as a whole: there is nothing to roll back, and the index may be somebody else's.
    if (refused.code === "EEXIST") return await clearTheWay(context, plan, target);
    throw kernelFailure(plan, refused);
  } catch (error) {
    if (error instanceof PodNetworkError && error.code !== "namespace-gone") throw error;
    await rollBack(context, plan, claim.host, error);
    if (!(error instanceof KernelError)) throw error;
    if (error.code === "EINVAL" && (await context.refreshSources())) return "again";
    throw (await addressConflict(context, plan, error)) ?? kernelFailure(plan, error);
  }
}

/** Returns why the pair itself was refused. Throws what went wrong later, when there is something to roll back. */
async function build(setUp: SetUp, plan: PodPlan, claim: LinkClaim): Promise<KernelError | undefined> {
  const { context, target, attachment, signal } = setUp;
  const { kernel, host, hostNamespace, metrics } = context;
  const needsIPv6 = attachment.ipv6 !== undefined;
  const next = phaseTimer(metrics, () => {
    signal.throwIfAborted();
    if (claim.vanished) throw new PodNetworkError("namespace-gone", `Cannot set up ${plan.key}: its link was deleted meanwhile`);
  });
  const hostEnd = { socket: host, namespace: hostNamespace, name: plan.host.name, needsIPv6 };
  const pairing = createPair(hostEnd, pairRequests(plan, claim, target.namespace));
  // The kernel needs more time for the pair than for all the rest: get that ready meanwhile.
  const ready = await preparedDuring(pairing, () => ({
    podEnd: { namespace: target.namespace, socket: target.openSocket(), name: plan.pod.name, needsIPv6 },
    podRequests: podEndRequests(plan, claim.pod),
    hostRequests: hostEndRequests(plan, claim.host),
  }));
  const refused = await pairing;
  if (refused) return refused;
  context.refuseAdvertisements(plan.host.name);
  next("veth");
  await applyToEnd(kernel, ready.podEnd, ready.podRequests);
  next("pod");
  const { clock } = context;
  await allEnded([
    applyToEnd(kernel, hostEnd, ready.hostRequests),
    attachment.ipv6 ? untilLocal(attachment.ipv6, { socket: ready.podEnd.socket, clock, signal }) : Promise.resolve(),
  ]);
  if (!kernel.syncsCarrier) await untilCarrier(claim.host, { socket: host, clock, signal });
  next("host");
  return undefined;
}

/** What `prepare` gives. When it throws, that is told only after `running` has ended. */
async function preparedDuring<T>(running: Promise<unknown>, prepare: () => T): Promise<T> {
  try {
    return prepare();
  } catch (error) {
    await running.catch(() => undefined);
    throw error;
  }
}

/** Waits for all, also when one fails. */
async function allEnded(tasks: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(tasks)) if (outcome.status === "rejected") throw outcome.reason;
}

function phaseTimer(metrics: PodNetworkMetrics, check: () => void): (phase: PodPhase) => void {
  let started = performance.now();
  return (phase) => {
    const now = performance.now();
    metrics.phase(phase, (now - started) / 1000);
    started = now;
    check();
  };
}

function kernelFailure(plan: PodPlan, cause: KernelError): PodNetworkError {
  return new PodNetworkError("kernel", `Cannot set up ${plan.key}: ${cause.message}`, { cause });
}

/** Deletes the pair, if there is one. Rejects with `leftBehind` when that fails too. */
async function rollBack({ host, remover, claims }: SetUpContext, plan: PodPlan, index: number, failure: unknown): Promise<void> {
  try {
    const link = await host.link({ index });
    // Another link can have the index only when the pair was never made.
    if (link?.mac === plan.host.mac) await remover.remove(index);
  } catch (error) {
    claims.condemn(index, plan.key);
    throw new PodNetworkError("kernel", `Cannot set up ${plan.key}, and cannot take back what was made of it yet`, {
      cause: new AggregateError([failure, error]),
      leftBehind: true,
    });
  }
}
