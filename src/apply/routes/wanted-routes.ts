import { addressEquals } from "../../ip/address.ts";
import { formatPrefix } from "../../ip/prefix.ts";
import type { Route } from "../../linux/route/route.ts";
import type { WantedRoute } from "../../podnet/route-changes.ts";

/** Routes by destination. */
export type WantedRoutes = ReadonlyMap<string, WantedRoute>;

/** Of several routes to one destination the last counts. */
export function wantedRoutes(routes: readonly WantedRoute[]): WantedRoutes {
  return new Map(routes.map((route) => [formatPrefix(route.destination), route]));
}

/** Whether the kernel's route is the wanted one to its destination. */
export function isWanted(wanted: WantedRoutes, found: Route): boolean {
  const route = wanted.get(formatPrefix(found.destination));
  return route !== undefined && sameWay(route, found);
}

/** Whether two routes to one destination lead the same way. */
export function sameWay(a: Omit<WantedRoute, "destination">, b: Omit<WantedRoute, "destination">): boolean {
  if (a.gateway || b.gateway) return a.gateway !== undefined && b.gateway !== undefined && addressEquals(a.gateway, b.gateway);
  return a.index === b.index;
}
