import { type Address, addressEquals, parseAddress } from "../../ip/address.ts";
import { FAMILIES, type Family } from "../../ip/family.ts";
import type { RouteSocket } from "../../linux/route/socket.ts";
import { chooseMtu } from "../../podnet/mtu.ts";
import type { NodeAddresses } from "../../podnet/node-addresses.ts";

/** What the node is like at the moment, as far as it concerns its pods. */
export interface NodeFacts {
  /** MTU for new pods. */
  readonly mtu: number;
  /** Those of the node's addresses that are really on the node and ready: the kernel refuses others as a source. */
  readonly sources: NodeAddresses;
  setNodeAddresses(addresses: NodeAddresses): void;
  isNodeAddress(address: Address): boolean;
  /** Looks again. True when something has changed. */
  refreshSources(): Promise<boolean>;
  refreshMtu(): Promise<boolean>;
  /** Node addresses that cannot be used, in words. */
  problems(): string[];
}

/** Addresses that stand for everywhere: no network has them (RFC 7600, RFC 3849), so that the default route leads there. */
const ANYWHERE: Readonly<Record<Family, Address>> = { ipv4: parseAddress("192.0.0.8"), ipv6: parseAddress("2001:db8::1") };

/** Facts read by `socket`. Without `mtu` it is found out. Nothing is known before the first refreshes. */
export function createNodeFacts(
  socket: RouteSocket,
  start: { readonly addresses: NodeAddresses; readonly mtu?: number | undefined },
): NodeFacts {
  let wanted = start.addresses;
  let sources: NodeAddresses = {};
  let mtu = start.mtu ?? 0;

  async function isUsable(address: Address): Promise<boolean> {
    const there = await socket.addresses({ family: address.family });
    return there.some((found) => addressEquals(found.address, address) && !found.tentative && !found.dadFailed);
  }

  return {
    get mtu() {
      return mtu;
    },
    get sources() {
      return sources;
    },
    setNodeAddresses(addresses) {
      wanted = addresses;
    },
    isNodeAddress: (address) => FAMILIES.some((family) => wanted[family] && addressEquals(wanted[family], address)),
    async refreshSources() {
      const before = sources;
      const { ipv4, ipv6 } = wanted;
      sources = {
        ...(ipv4 && (await isUsable(ipv4)) ? { ipv4 } : {}),
        ...(ipv6 && (await isUsable(ipv6)) ? { ipv6 } : {}),
      };
      return FAMILIES.some((family) => before[family]?.value !== sources[family]?.value);
    },
    async refreshMtu() {
      if (start.mtu !== undefined) return false;
      const before = mtu;
      const routes = await Promise.all(FAMILIES.map((family) => routeToAnywhere(socket, family)));
      mtu = chooseMtu(await socket.links(), routes.flat());
      return mtu !== before;
    },
    problems: () =>
      FAMILIES.flatMap((family) => {
        const missing = wanted[family] && !sources[family];
        return missing ? [`the node has not got its own ${family} address: pods may see another source address of it`] : [];
      }),
  };
}

/** Indexes of the links that lead to everywhere. */
async function routeToAnywhere(socket: RouteSocket, family: Family): Promise<number[]> {
  const route = await socket.routeTo(ANYWHERE[family]);
  if (route?.type !== "unicast") return [];
  return [route.index, ...(route.nextHops ?? []).map((hop) => hop.index)].filter((index) => index !== undefined);
}
