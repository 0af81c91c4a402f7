import type { KeyLocks } from "../../apply/key-locks.ts";
import { createKeyLocks } from "../../apply/key-locks.ts";
import type { PodInterface, PodNetwork } from "../../apply/pod-network.ts";
import { PodNetworkError } from "../../apply/pod-network-error.ts";
import { POD_ARGS } from "../../cni/args.ts";
import { missingFromPrevious } from "../../cni/compare-results.ts";
import type { Attachment } from "../../cni/environment.ts";
import { CNI_ERROR, CniError } from "../../cni/error.ts";
import type { CniResult } from "../../cni/result.ts";
import { type Allocation, addressesText } from "../../ipam/allocation.ts";
import type { NodeIpam } from "../../ipam/node-ipam.ts";
import type { Logger } from "../../observe/logger.ts";
import { attachmentKey } from "../../podnet/names.ts";
import type { ObservedPod } from "../../podnet/observed-pods.ts";
import type { PodAttachment } from "../../podnet/plan.ts";
import type { CniCall, NetworkCall } from "../../rpc/protocol.ts";
import { addResult } from "./add-result.ts";
import type { AddressDesk } from "./address-desk.ts";
import { createInFlight, type InFlight } from "./in-flight.ts";
import type { IntentFolder } from "./intent-folder.ts";
import type { AttachmentMetrics, CallTimer } from "./metrics.ts";
import type { PodDirectory } from "./pod-directory.ts";

/** What the pods of this node are attached with. */
export interface AttachmentsDeps {
  readonly network: Pick<PodNetwork, "setUp" | "tearDown" | "check" | "observed">;
  readonly desk: Pick<AddressDesk, "allocate" | "free">;
  readonly ipam: Pick<NodeIpam, "get" | "adopt">;
  readonly directory: PodDirectory;
  readonly intents: Pick<IntentFolder, "has" | "remove">;
  readonly metrics: AttachmentMetrics;
  readonly log: Logger;
}

/** What becomes known of an ADD on its way, for messages and events. */
export interface AddProgress {
  pool?: string;
  /** UID of the pod. */
  podUid?: string;
}

/** Attaches pods, and detaches them. One call at a time for each attachment; calls of different ones do not wait for each other. */
export interface Attachments {
  /** Rejects when nothing is left of the attachment, or with the address kept until the kernel has lost its link. */
  add(call: CniCall, options: { readonly signal: AbortSignal; readonly progress: AddProgress }): Promise<CniResult>;
  /** Ends an ADD that is under way. Works without the API server, and for attachments that nobody knows. */
  del(attachment: Attachment): Promise<void>;
  /** A DEL that was left behind: nothing if an ADD has made it void. */
  replay(attachment: Attachment): Promise<void>;
  /** What is wrong with an attachment, in words. */
  check(call: CniCall, options: { readonly signal: AbortSignal }): Promise<string[]>;
  /** Detaches what is of that network and not valid. */
  collect(call: NetworkCall): Promise<void>;
  /** The host link of an attachment vanished: its addresses are free, unless it has been made again. */
  vanished(key: string): Promise<void>;
  /** Ends what is under way, and refuses what comes. */
  stop(): void;
}

/** Conflicts with links of others after which an ADD is given up. */
const MOST_CONFLICTS = 3;

export function createAttachments(deps: AttachmentsDeps): Attachments {
  return new Service(deps);
}

class Service implements Attachments {
  readonly #deps: AttachmentsDeps;
  readonly #locks: KeyLocks = createKeyLocks();
  readonly #adds: InFlight = createInFlight();
  #stopped = false;

  constructor(deps: AttachmentsDeps) {
    this.#deps = deps;
  }

  async add(call: CniCall, { signal, progress }: { signal: AbortSignal; progress: AddProgress }): Promise<CniResult> {
    if (this.#stopped) throw stopping();
    if (call.config.prevResult) {
      throw new CniError(CNI_ERROR.invalidNetworkConfig, "coil must be the first plugin of the network configuration", {
        details: "there is a prevResult; only CHECK and DEL have one",
      });
    }
    const { directory, metrics, intents } = this.#deps;
    const key = attachmentKey(call);
    const pod = podOf(call);
    using under = this.#adds.enter(key, signal);
    const timer = metrics.startAdd();
    using _permit = await this.#lock(key, under.signal);
    timer.phase("lock");
    // An earlier DEL of a container of that name must not hit this one.
    intents.remove(call);
    const found = await directory.find(pod, { signal: under.signal });
    const pool = await directory.poolOf(pod.namespace, { signal: under.signal });
    const podUid = pod.uid ?? found.metadata.uid ?? "";
    Object.assign(progress, { pool, podUid: found.metadata.uid ?? "" });
    timer.phase("pod");
    const attachment = {
      ...{ key, containerId: call.containerId, ifname: call.ifname, pool, network: call.config.name },
      ...{ podUid, podNamespace: pod.namespace, podName: pod.name },
    };
    const netns = call.netns ?? "";
    const { allocation, made } = await this.#attach(attachment, { netns, signal: under.signal, timer });
    timer.end();
    return addResult(allocation, { ifname: call.ifname, netns, made });
  }

  /** Takes other addresses when those it was given turn out to be on a link of somebody else. */
  async #attach(
    attachment: Omit<PodAttachment, "ipv4" | "ipv6">,
    { netns, signal, timer }: { netns: string; signal: AbortSignal; timer: CallTimer },
  ): Promise<{ allocation: Allocation; made: PodInterface }> {
    const { desk, network, ipam, log } = this.#deps;
    const { key } = attachment;
    for (let conflicts = 1; ; conflicts++) {
      const repeated = ipam.get(key) !== undefined;
      const allocation = await desk.allocate({ key, pool: attachment.pool }, { signal });
      timer.phase("address");
      const { pool, ipv4, ipv6 } = allocation;
      try {
        const made = await network.setUp(
          { ...attachment, pool, ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }) },
          { netns, signal },
        );
        timer.phase("network");
        // What was there before the call stays, also when the caller has gone.
        if (!repeated) signal.throwIfAborted();
        return { allocation, made };
      } catch (error) {
        const inUse = error instanceof PodNetworkError && error.code === "address-in-use";
        await this.#takeBack(allocation, { error, repeated });
        if (!inUse || conflicts >= MOST_CONFLICTS) throw error;
        log.warn({ err: error, addresses: addressesText(allocation) }, "an address is in use elsewhere: keeping it out of use");
      }
    }
  }

  /**
   * After a failed set-up: the addresses are free when the kernel has no link with them, not before. What was there before a repeated
   * ADD and was not touched by it stays.
   */
  async #takeBack(allocation: Allocation, { error, repeated }: { error: unknown; repeated: boolean }): Promise<void> {
    const { desk, network, ipam, log } = this.#deps;
    const { key } = allocation;
    if (repeated && network.observed().some((pod) => pod.key === key)) return;
    const code = error instanceof PodNetworkError ? error.code : undefined;
    if (error instanceof PodNetworkError && error.leftBehind) return;
    try {
      await network.tearDown(key, { signal: NEVER });
    } catch (err) {
      log.error({ err, key }, "cannot remove a link: its address stays in use");
      return;
    }
    desk.free(key, { unused: !repeated });
    if (code === "address-in-use") ipam.adopt({ ...allocation, key: `${QUARANTINE}${addressesText(allocation)}` });
  }

  async del(attachment: Attachment): Promise<void> {
    const key = attachmentKey(attachment);
    const timer = this.#deps.metrics.startDel();
    this.#adds.abort(key, new CniError(CNI_ERROR.tryAgainLater, "The attachment is being deleted"));
    using _permit = await this.#lock(key, NEVER);
    timer.phase("lock");
    await this.#detach(attachment, timer);
  }

  async replay(attachment: Attachment): Promise<void> {
    const key = attachmentKey(attachment);
    using _permit = await this.#lock(key, NEVER);
    if (!(await this.#deps.intents.has(attachment))) return;
    this.#deps.log.info({ key }, "carrying out a DEL that was left behind");
    await this.#detach(attachment, this.#deps.metrics.startDel());
  }

  async #detach(attachment: Attachment, timer: CallTimer): Promise<void> {
    const { network, desk, intents } = this.#deps;
    const key = attachmentKey(attachment);
    await network.tearDown(key, { signal: NEVER });
    timer.phase("network");
    desk.free(key);
    intents.remove(attachment);
    timer.end();
  }

  async check(call: CniCall, { signal }: { signal: AbortSignal }): Promise<string[]> {
    const { ipam, network } = this.#deps;
    const key = attachmentKey(call);
    using _permit = await this.#lock(key, signal);
    const allocation = ipam.get(key);
    const observed = network.observed().find((pod) => pod.key === key);
    if (!allocation || !observed) {
      throw new CniError(CNI_ERROR.unknownContainer, `The container ${call.containerId} has no interface ${call.ifname} here`);
    }
    const { namespace, name } = podOf(call);
    const netns = call.netns ?? "";
    const problems = await network.check(attachmentOf(observed, { namespace, name, network: call.config.name }), {
      netns,
      signal,
    });
    const made = { hostInterface: observed.hostInterface, hostMac: "", podMac: "", mtu: 0 };
    const own = addResult(allocation, { ifname: call.ifname, netns, made });
    return [...problems, ...(call.config.prevResult ? missingFromPrevious(call.config.prevResult, own) : [])];
  }

  async collect({ config }: NetworkCall): Promise<void> {
    const valid = new Set((config.validAttachments ?? []).map(attachmentKey));
    const stale = this.#deps.network.observed().filter(({ network, key }) => network === config.name && !valid.has(key));
    const failures: unknown[] = [];
    for (const pod of stale) {
      // An ADD that is under way came after the runtime made its list.
      if (this.#adds.has(pod.key)) continue;
      this.#deps.log.info({ key: pod.key, network: config.name }, "removing an attachment that the runtime does not know");
      await this.del(pod).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  async vanished(key: string): Promise<void> {
    using _permit = await this.#lock(key, NEVER);
    if (this.#deps.network.observed().some((pod) => pod.key === key)) return;
    this.#deps.desk.free(key);
  }

  stop(): void {
    this.#stopped = true;
    this.#adds.abortAll(stopping());
  }

  async #lock(key: string, signal: AbortSignal): Promise<Disposable> {
    const started = performance.now();
    const permit = await this.#locks.acquire(key, { signal });
    this.#deps.metrics.lockWaited(performance.now() - started);
    return permit;
  }
}

/** Key of addresses that are on links of others. */
export const QUARANTINE = "in use elsewhere: ";

/** For what must be done whoever goes away. */
const NEVER = new AbortController().signal;

function stopping(): CniError {
  return new CniError(CNI_ERROR.tryAgainLater, "coild is stopping");
}

/** The pod of a call. Throws `CniError` 4 when the runtime does not name it. */
function podOf({ args }: CniCall): { namespace: string; name: string; uid?: string } {
  const [namespace, name, uid] = [args[POD_ARGS.namespace], args[POD_ARGS.name], args[POD_ARGS.uid]];
  if (namespace && name) return { namespace, name, ...(uid && { uid }) };
  const missing = [POD_ARGS.namespace, POD_ARGS.name].filter((key) => !args[key]).join(" and ");
  throw new CniError(CNI_ERROR.invalidEnvironment, `Missing ${missing} in CNI_ARGS`);
}

function attachmentOf(
  { key, containerId, ifname, pool, ipv4, ipv6, network, podUid }: ObservedPod,
  call: { namespace: string; name: string; network: string },
): PodAttachment {
  return {
    ...{ key, containerId, ifname, pool, network: network ?? call.network, podUid: podUid ?? "" },
    ...{ ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }), podNamespace: call.namespace, podName: call.name },
  };
}
