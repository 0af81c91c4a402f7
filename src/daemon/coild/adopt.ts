import type { NodeIpam } from "../../ipam/node-ipam.ts";
import type { Logger } from "../../observe/logger.ts";
import type { ObservedPod } from "../../podnet/observed-pods.ts";
import type { FreedAddress } from "./freed-log.ts";

/** Takes over the addresses of pods that the kernel knows, those made first first: the allocator goes on behind the last one. */
export function adoptPods(ipam: Pick<NodeIpam, "adopt">, observed: readonly ObservedPod[], log: Logger): void {
  for (const { key, pool, ipv4, ipv6, hostInterface, origin } of observed.toSorted((a, b) => a.index - b.index)) {
    if (!ipv4 && !ipv6) log.warn({ key, hostInterface }, "a pod's address cannot be found out");
    const others = ipam.adopt({ key, pool, ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }) });
    if (others.length > 0) log.error({ key, others }, "two attachments have one address");
    log.debug({ key, pool, hostInterface, origin }, "took over an attachment");
  }
}

/** Tells the allocator which addresses were freed of late. `now` is its own time, `wallTime` ms since the epoch. */
export function recallFreed(
  ipam: Pick<NodeIpam, "recall">,
  freed: readonly FreedAddress[],
  { now, wallTime }: { now: number; wallTime: number },
): void {
  // The wall clock may have been set back meanwhile.
  for (const { address, at } of freed) ipam.recall(address, now - Math.max(0, wallTime - at));
}
