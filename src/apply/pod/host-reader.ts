import type { LinkAddress } from "../../linux/route/address.ts";
import type { Link } from "../../linux/route/link.ts";
import type { Neighbour } from "../../linux/route/neighbour.ts";
import type { Route } from "../../linux/route/route.ts";
import type { RouteSocket } from "../../linux/route/socket.ts";
import type { HostSideState } from "../../podnet/host-drift.ts";

/** All that the host has of pods, and all its links. */
export interface HostSnapshot {
  readonly links: readonly Link[];
  readonly routes: readonly Route[];
  /** What is on one link; undefined when there is no such link. */
  stateOf(index: number): HostSideState | undefined;
}

/** Reads everything, by a few dumps. */
export async function readHost(socket: RouteSocket, podTable: number): Promise<HostSnapshot> {
  const links = await socket.links();
  const routes = [
    ...(await socket.routes({ family: "ipv4", table: podTable })),
    ...(await socket.routes({ family: "ipv6", table: podTable })),
  ];
  const addresses = await socket.addresses({ family: "ipv6" });
  const neighbours = await socket.neighbours();
  const linkOf = new Map(links.map((link) => [link.index, link]));
  const routesOf = Map.groupBy(routes, (route) => route.index ?? 0);
  const addressesOf = Map.groupBy<number, LinkAddress>(addresses, (address) => address.index);
  const neighboursOf = Map.groupBy<number, Neighbour>(neighbours, (neighbour) => neighbour.index);
  return {
    links,
    routes,
    stateOf(index) {
      const link = linkOf.get(index);
      if (!link) return undefined;
      return {
        link,
        routes: routesOf.get(index) ?? [],
        addresses: addressesOf.get(index) ?? [],
        neighbours: neighboursOf.get(index) ?? [],
      };
    },
  };
}

/** Reads one link and what is on it; undefined when there is no such link. The kernel filters. */
export async function readHostSide(socket: RouteSocket, index: number, podTable: number): Promise<HostSideState | undefined> {
  const link = await socket.link({ index });
  if (!link) return undefined;
  const routes = [
    ...(await socket.routes({ family: "ipv4", table: podTable, index })),
    ...(await socket.routes({ family: "ipv6", table: podTable, index })),
  ];
  const addresses = await socket.addresses({ index, family: "ipv6" });
  return { link, routes, addresses, neighbours: await socket.neighbours({ index }) };
}
