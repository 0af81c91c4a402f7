import { type Address, addressEquals } from "../ip/address.ts";
import { formatPrefix, type Prefix } from "../ip/prefix.ts";
import type { RouteState } from "./host-state.ts";

/** A route that must be in a table of which only the routes of one protocol are ours: to a link, or by a gateway. */
export interface WantedRoute {
  readonly destination: Prefix;
  readonly index?: number;
  readonly gateway?: Address;
}

/** How to come from what is there to what is wanted: add and replace first, remove last, so that no packet finds a gap. */
export interface RouteChanges {
  readonly add: readonly WantedRoute[];
  /** Ours, but leading elsewhere. */
  readonly replace: readonly WantedRoute[];
  readonly remove: readonly RouteState[];
  /** Wanted, but somebody else has a route to the destination; it is left alone. */
  readonly blocked: readonly WantedRoute[];
}

/** Metric of a route that was added without one. */
const DEFAULT_METRIC = { ipv4: 0, ipv6: 1024 } as const;

/** Compares one table with what is wanted in it. Of routes of other protocols only their being in the way counts. */
export function planRouteChanges(
  wanted: readonly WantedRoute[],
  observed: readonly RouteState[],
  { protocol }: { readonly protocol: number },
): RouteChanges {
  const present = Map.groupBy(observed, ({ destination }) => formatPrefix(destination));
  const keep = new Set<RouteState>();
  const add: WantedRoute[] = [];
  const replace: WantedRoute[] = [];
  const blocked: WantedRoute[] = [];
  for (const [text, route] of new Map(wanted.map((route) => [formatPrefix(route.destination), route]))) {
    const there = (present.get(text) ?? []).filter(hasDefaultMetric);
    const ours = there.filter((found) => found.protocol === protocol);
    const right = ours.find((found) => leadsTo(found, route));
    const [wrong] = ours;
    if (right) keep.add(right);
    else if (there.length > ours.length) blocked.push(route);
    else if (wrong) {
      replace.push(route);
      // The replacement takes its place.
      keep.add(wrong);
    } else add.push(route);
  }
  const remove = observed.filter((found) => found.protocol === protocol && !keep.has(found));
  return { add, replace, remove, blocked };
}

/** The kernel takes routes that differ in metric for different ones. */
function hasDefaultMetric({ family, metric }: RouteState): boolean {
  return metric === DEFAULT_METRIC[family];
}

function leadsTo(found: RouteState, wanted: WantedRoute): boolean {
  if (wanted.gateway) return found.gateway !== undefined && addressEquals(found.gateway, wanted.gateway);
  return found.gateway === undefined && found.index === wanted.index;
}
