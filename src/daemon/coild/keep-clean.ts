import type { PodNetwork } from "../../apply/pod-network.ts";
import type { NodeIpam } from "../../ipam/node-ipam.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { Clock } from "../../kube/clock.ts";
import type { RouteSocket } from "../../linux/route/socket.ts";
import type { Logger } from "../../observe/logger.ts";
import type { AddressDesk } from "./address-desk.ts";
import { type Attachments, QUARANTINE } from "./attachments.ts";
import type { CoildFlags } from "./flags.ts";
import { collectOrphans } from "./orphans.ts";
import { linksWithProcesses } from "./pod-processes.ts";

export interface KeepCleanDeps {
  readonly node: string;
  readonly client: KubeClient;
  readonly network: Pick<PodNetwork, "observed">;
  readonly links: RouteSocket;
  readonly attachments: Pick<Attachments, "del">;
  readonly desk: Pick<AddressDesk, "free">;
  readonly ipam: Pick<NodeIpam, "allocations">;
  readonly clock: Clock;
  readonly log: Logger;
}

const SECOND_LOOK_MS = 5_000;

/** Looks for attachments that no pod needs, at once and then each interval, until aborted. A failure waits for the next time. */
export async function keepClean(
  deps: KeepCleanDeps,
  flags: Pick<CoildFlags, "addressblock-gc-interval">,
  signal: AbortSignal,
): Promise<void> {
  const { node, client, network, links, attachments, desk, ipam, clock, log } = deps;
  while (!signal.aborted) {
    try {
      await collectOrphans(
        {
          ...{ node, client, clock, log, observed: () => network.observed(), detach: (pod) => attachments.del(pod) },
          secondLookMs: Math.min(SECOND_LOOK_MS, flags["addressblock-gc-interval"]),
          withProcesses: (indexes, options) => linksWithProcesses(links, indexes, options),
        },
        { signal },
      );
    } catch (err) {
      if (!signal.aborted) log.warn({ err }, "cannot look for attachments that no pod needs");
    }
    await clock.sleep(flags["addressblock-gc-interval"], { signal }).catch(() => undefined);
    // Another try tells whether somebody else still has them.
    for (const { key } of ipam.allocations()) if (key.startsWith(QUARANTINE)) desk.free(key);
  }
}
