import type { RouteExporter } from "../../apply/exported-routes.ts";
import type { PodNetwork } from "../../apply/pod-network.ts";
import { formatAddress } from "../../ip/address.ts";
import { addressesOf } from "../../ipam/allocation.ts";
import type { NodeIpam } from "../../ipam/node-ipam.ts";
import type { AddressDesk } from "./address-desk.ts";

/** What coild knows, for people: `curl --unix-socket /run/coild.sock http://coild/v1/state`. */
export function nodeState({
  node,
  ipam,
  desk,
  network,
  exporter,
  problem,
}: {
  node: string;
  ipam: Pick<NodeIpam, "usage" | "allocations">;
  desk: Pick<AddressDesk, "queues">;
  network: Pick<PodNetwork, "observed" | "problems">;
  exporter: Pick<RouteExporter, "problems">;
  problem: string | undefined;
}) {
  const observed = new Map(network.observed().map((pod) => [pod.key, pod]));
  return {
    node,
    ready: problem === undefined,
    ...(problem !== undefined && { problem }),
    problems: [...network.problems(), ...exporter.problems()],
    pools: desk.queues(),
    blocks: ipam.usage(),
    attachments: ipam.allocations().map((allocation) => {
      const { key, pool, block } = allocation;
      const { hostInterface, podUid, network: name, origin } = observed.get(key) ?? {};
      return {
        key,
        pool,
        block,
        addresses: addressesOf(allocation).map(formatAddress),
        hostInterface,
        podUid,
        network: name,
        origin,
      };
    }),
  };
}
