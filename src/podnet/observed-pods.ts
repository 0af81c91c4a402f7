import type { Address } from "../ip/address.ts";
import { familyBits } from "../ip/family.ts";
import type { LinkState, RouteState } from "./host-state.ts";
import {
  attachmentKey,
  DOOMED_LINK_GROUP,
  type InterfaceMacs,
  interfaceMacs,
  LINK_GROUP,
  parseAltNames,
  parseLinkAlias,
} from "./names.ts";

/** A pod's attachment as the kernel knows it. */
export interface ObservedPod {
  readonly key: string;
  readonly containerId: string;
  readonly ifname: string;
  readonly pool: string;
  readonly ipv4?: Address;
  readonly ipv6?: Address;
  /** Absent for pods that the Go implementation set up. */
  readonly network?: string;
  readonly podUid?: string;
  readonly hostInterface: string;
  readonly index: number;
  readonly origin: "ours" | "go";
}

/** The same, with what is worked out of the key once. */
export interface KnownPod extends ObservedPod {
  /** Those of the Go implementation's pods are others. */
  readonly macs: InterfaceMacs;
}

/** What the links of a host say about pods. */
export interface HostObservation {
  readonly pods: readonly KnownPod[];
  /** Links of set-ups and tear-downs that were never finished: nothing knows them but their group. */
  readonly unfinished: readonly LinkState[];
}

/**
 * Joins links with the routes of the pod table by interface. An alias is the last thing a set-up writes but routes, so that a link
 * with one is a pod's. Addresses come from the alternative names, and for pods of the Go implementation from their routes alone.
 */
export function observePods(links: readonly LinkState[], podRoutes: readonly RouteState[]): HostObservation {
  const routed = Map.groupBy(podRoutes, (route) => route.index ?? 0);
  const pods: KnownPod[] = [];
  const unfinished: LinkState[] = [];
  for (const link of links) {
    const pod = link.group === DOOMED_LINK_GROUP ? undefined : podOfLink(link, routed.get(link.index) ?? []);
    if (pod) pods.push(pod);
    else if (link.group === LINK_GROUP || link.group === DOOMED_LINK_GROUP) unfinished.push(link);
  }
  return { pods, unfinished };
}

/** The pod of one link; undefined for links that are none of ours, and for aliases of egress-only pods, which have no pool. */
export function podOfLink(link: LinkState, routes: readonly RouteState[]): KnownPod | undefined {
  const alias = parseLinkAlias(link.alias);
  if (!alias || alias.pool === "") return undefined;
  const { podUid, network, addresses: named } = parseAltNames(link.altNames);
  const addresses = [...named, ...routes.flatMap(hostAddress)];
  const ipv4 = addresses.find((address) => address.family === "ipv4");
  const ipv6 = addresses.find((address) => address.family === "ipv6");
  const key = attachmentKey(alias);
  return {
    key,
    ...alias,
    ...(ipv4 ? { ipv4 } : {}),
    ...(ipv6 ? { ipv6 } : {}),
    ...(podUid === undefined || network === undefined ? {} : { podUid, network }),
    hostInterface: link.name,
    index: link.index,
    macs: interfaceMacs(key),
    origin: network === undefined ? "go" : "ours",
  };
}

function hostAddress({ family, destination }: RouteState): Address[] {
  return destination.length === familyBits(family) ? [destination.address] : [];
}
