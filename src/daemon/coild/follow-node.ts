import type { PodNetwork } from "../../apply/pod-network.ts";
import { formatAddress } from "../../ip/address.ts";
import { addressesOf } from "../../ipam/allocation.ts";
import type { Logger } from "../../observe/logger.ts";
import { type NodeAddresses, nodeAddresses } from "../../podnet/node-addresses.ts";
import type { Caches } from "./caches.ts";

/** Tells the pod network when the node's addresses change. While there is no Node object, the last ones hold. */
export function followNode({
  caches,
  node,
  network,
  log,
}: {
  caches: Pick<Caches, "node">;
  node: string;
  network: Pick<PodNetwork, "setNodeAddresses">;
  log: Logger;
}): void {
  let known = text(nodeAddresses(caches.node.get(node)));
  caches.node.onChange(({ type, object }) => {
    if (type === "deleted") {
      log.warn({ node }, "the Node object is gone: withdrawing the routes");
      return;
    }
    const addresses = nodeAddresses(object);
    if (text(addresses) === known) return;
    known = text(addresses);
    log.info({ addresses: known }, "the node's addresses are others now");
    network.setNodeAddresses(addresses).catch((err: unknown) => log.error({ err }, "cannot take over the node's addresses"));
  });
}

function text(addresses: NodeAddresses): string {
  return addressesOf(addresses).map(formatAddress).join(", ");
}
