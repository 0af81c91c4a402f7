import { type Address, addressEquals, formatAddress } from "../ip/address.ts";
import { FAMILIES } from "../ip/family.ts";
import { formatPrefix } from "../ip/prefix.ts";
import type { RoutedBlock } from "./exports.ts";
import type { WantedRoute } from "./route-changes.ts";

/** A node and the addresses by which its pods are reached, one a family at most. */
export interface RouterNode {
  readonly name: string;
  readonly ipv4?: Address;
  readonly ipv6?: Address;
}

/** A block and the node that holds it. */
export interface RouterBlock extends RoutedBlock {
  readonly node: string;
}

/** Routes to other nodes' blocks, and the blocks that got none, with the reason in words. */
export interface RouterPlan {
  readonly routes: readonly (WantedRoute & { readonly gateway: Address })[];
  readonly skipped: readonly { readonly block: string; readonly reason: string }[];
}

/**
 * One route by the owning node's address for each family of each block that another node holds. Of two blocks with one network,
 * which must not exist, the first by name is taken on every node alike.
 */
export function planRouterRoutes(self: string, nodes: readonly RouterNode[], blocks: readonly RouterBlock[]): RouterPlan {
  const known = new Map(nodes.map((node) => [node.name, node]));
  const routes = new Map<string, { destination: RouterPlan["routes"][number]["destination"]; gateway: Address }>();
  const skipped: { block: string; reason: string }[] = [];
  for (const block of blocks.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (block.node === self) continue;
    const node = known.get(block.node);
    if (!node) {
      skipped.push({ block: block.name, reason: `there is no node ${block.node}` });
      continue;
    }
    for (const family of FAMILIES) {
      const destination = block[family];
      if (!destination) continue;
      const gateway = node[family];
      const text = formatPrefix(destination);
      const taken = routes.get(text);
      if (!gateway) skipped.push({ block: block.name, reason: `node ${node.name} has no ${family} address` });
      else if (!taken) routes.set(text, { destination, gateway });
      else if (!addressEquals(taken.gateway, gateway)) {
        skipped.push({ block: block.name, reason: `${text} already leads to ${formatAddress(taken.gateway)}` });
      }
    }
  }
  return { routes: [...routes.values()], skipped };
}
