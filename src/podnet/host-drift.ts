import { addressEquals, formatAddress } from "../ip/address.ts";
import { formatPrefix, prefixEquals } from "../ip/prefix.ts";
import type { AddressState, LinkState, NeighbourState, RouteState } from "./host-state.ts";
import type { KnownPod } from "./observed-pods.ts";
import {
  addressesOf,
  type HostRouteConfig,
  hostRoute,
  type PlannedAddress,
  type PlannedNeighbour,
  type PlannedRoute,
  planHostEnd,
} from "./plan.ts";

/** What the host must have for a pod that is set up. */
export interface HostSide {
  readonly key: string;
  readonly index: number;
  readonly routes: readonly PlannedRoute[];
  /** Absent for a pod of the Go implementation: its addresses and neighbours are left as they are, its routes are kept. */
  readonly own?: {
    readonly alias: string;
    readonly altNames: readonly string[];
    readonly group: number;
    readonly addresses: readonly PlannedAddress[];
    readonly neighbours: readonly PlannedNeighbour[];
  };
}

/** What the kernel has on a pod's host link, and every route of the pod table whose destination is one of the pod's addresses. */
export interface HostSideState {
  readonly link: LinkState;
  readonly addresses: readonly AddressState[];
  readonly neighbours: readonly NeighbourState[];
  readonly routes: readonly RouteState[];
}

/** One thing to put back. */
export type HostRepair =
  | { readonly kind: "link"; readonly index: number }
  | { readonly kind: "mark"; readonly index: number; readonly alias: string; readonly group: number }
  | { readonly kind: "alt-name"; readonly index: number; readonly names: readonly string[] }
  | { readonly kind: "address"; readonly index: number; readonly address: PlannedAddress }
  | { readonly kind: "neighbour"; readonly index: number; readonly neighbour: PlannedNeighbour }
  | { readonly kind: "route"; readonly index: number; readonly route: PlannedRoute };

/** What the host must have for a pod, made of what its link says about it. */
export function hostSideOf(pod: KnownPod, config: HostRouteConfig): HostSide {
  const { key, index, podUid, network } = pod;
  if (podUid === undefined || network === undefined || addressesOf(pod).length === 0) {
    // The Go implementation puts the node's address on the link instead of a source on the route.
    const { podTable, protocol } = config;
    return { key, index, routes: addressesOf(pod).map((address) => hostRoute(address, { podTable, protocol })) };
  }
  const end = planHostEnd({ ...pod, podUid, network }, pod.hostInterface, config, pod.macs);
  return { key, index, routes: end.routes, own: end };
}

/** What is missing or altered, in the order in which it must be put back: nothing can be added to a link that is down. */
export function hostDrift(wanted: HostSide, state: HostSideState): HostRepair[] {
  const { index, own } = wanted;
  const repairs: HostRepair[] = [];
  if (!state.link.up) repairs.push({ kind: "link", index });
  if (own) {
    const { alias, group } = own;
    if (state.link.alias !== alias || state.link.group !== group) repairs.push({ kind: "mark", index, alias, group });
    const names = own.altNames.filter((name) => !state.link.altNames.includes(name));
    if (names.length > 0) repairs.push({ kind: "alt-name", index, names });
    for (const address of own.addresses) {
      if (!state.addresses.some((found) => sameAddress(found, address))) repairs.push({ kind: "address", index, address });
    }
    for (const neighbour of own.neighbours) {
      if (!state.neighbours.some((found) => sameNeighbour(found, neighbour)))
        repairs.push({ kind: "neighbour", index, neighbour });
    }
  }
  for (const route of wanted.routes) {
    if (!state.routes.some((found) => sameRoute(found, route, wanted))) repairs.push({ kind: "route", index, route });
  }
  return repairs;
}

/** For logs: `route 10.2.0.5/32`. */
export function describeRepair(repair: HostRepair): string {
  switch (repair.kind) {
    case "link":
      return "link up";
    case "mark":
      return `alias ${repair.alias}`;
    case "alt-name":
      return `alternative names ${repair.names.join(" ")}`;
    case "address":
      return `address ${formatAddress(repair.address.address)}/${repair.address.length}`;
    case "neighbour":
      return `neighbour ${formatAddress(repair.neighbour.address)}`;
    case "route":
      return `route ${repair.route.destination ? formatPrefix(repair.route.destination) : "default"}`;
  }
}

function sameAddress(found: AddressState, wanted: PlannedAddress): boolean {
  return addressEquals(found.address, wanted.address) && found.length === wanted.length && !found.tentative;
}

function sameNeighbour(found: NeighbourState, wanted: PlannedNeighbour): boolean {
  return found.state === "permanent" && found.mac === wanted.mac && addressEquals(found.address, wanted.address);
}

function sameRoute(found: RouteState, wanted: PlannedRoute, { index, own }: HostSide): boolean {
  if (!wanted.destination || !prefixEquals(found.destination, wanted.destination)) return false;
  if (found.table !== wanted.table || found.index !== index || found.gateway) return false;
  // Routes of the Go implementation may have been rewritten by other programs (Calico sets another protocol): they do their job.
  if (!own) return true;
  const sameSource = wanted.source ? found.source !== undefined && addressEquals(found.source, wanted.source) : !found.source;
  return sameSource && found.protocol === wanted.protocol;
}
