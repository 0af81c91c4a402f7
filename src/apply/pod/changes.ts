import { type Address, addressEquals } from "../../ip/address.ts";
import type { Family } from "../../ip/family.ts";
import type { LinkAddress } from "../../linux/route/address.ts";
import type { Change, RouteEvent } from "../../linux/route/event.ts";
import type { Link } from "../../linux/route/link.ts";
import type { Neighbour } from "../../linux/route/neighbour.ts";
import type { Route } from "../../linux/route/route.ts";
import { DOOMED_LINK_GROUP, formatLinkAlias, LINK_GROUP, parseLinkAlias } from "../../podnet/names.ts";
import type { KnownPod } from "../../podnet/observed-pods.ts";
import { addressesOf } from "../../podnet/plan.ts";

/** What a change in the kernel means for us. */
export type Meaning =
  | { readonly kind: "nothing" }
  /** The host's side of a pod may be damaged. */
  | { readonly kind: "pod"; readonly key: string }
  /** The host link of a pod is, or is not, as it should be; what was said of it before does not count any more. */
  | { readonly kind: "pod-link"; readonly key: string; readonly damaged: boolean }
  | { readonly kind: "link-gone"; readonly index: number }
  | { readonly kind: "rules" }
  /** An address of the node came or went. */
  | { readonly kind: "sources" }
  /** The MTU for new pods may be another. */
  | { readonly kind: "mtu" }
  | { readonly kind: "everything" };

/** Whom a change may concern. */
export interface Concerned {
  readonly podTable: number;
  readonly rulePriority: number;
  podByLink(index: number): KnownPod | undefined;
  podByAddress(address: Address): KnownPod | undefined;
  isNodeAddress(address: Address): boolean;
  /** What the node's traffic to its pods has as source. */
  sourceOf(family: Family): Address | undefined;
}

const NOTHING: Meaning = { kind: "nothing" };
const MAIN_TABLE = 254;

/** Sorts changes out. Most are none of our business, or our own doing; it must be quick to say so. */
export function meaningOf(event: RouteEvent, concerned: Concerned): Meaning {
  switch (event.kind) {
    case "overrun":
      return { kind: "everything" };
    case "link":
      return event.change === "deleted" ? linkDeleted(event.value, concerned) : linkChanged(event.value, concerned);
    case "route":
      return routeChanged(event.change, event.value, concerned);
    case "address":
      return addressChanged(event.change, event.value, concerned);
    case "neighbour":
      return neighbourChanged(event.change, event.value, concerned);
    case "rule":
      return event.value.priority === concerned.rulePriority ? { kind: "rules" } : NOTHING;
  }
}

function linkDeleted(link: Link, concerned: Concerned): Meaning {
  return isOfPod(link) || concerned.podByLink(link.index) ? { kind: "link-gone", index: link.index } : { kind: "mtu" };
}

function linkChanged(link: Link, concerned: Concerned): Meaning {
  const pod = concerned.podByLink(link.index);
  if (!pod) return isOfPod(link) ? NOTHING : { kind: "mtu" };
  const isMarked =
    pod.origin === "go" ||
    (link.group === LINK_GROUP && link.alias === formatLinkAlias(pod) && link.altNames.length > addressesOf(pod).length);
  // While a pod is set up, changes are told one by one: the last one decides.
  return { kind: "pod-link", key: pod.key, damaged: !link.up || !isMarked };
}

function isOfPod(link: Link): boolean {
  return link.group === LINK_GROUP || link.group === DOOMED_LINK_GROUP || parseLinkAlias(link.alias) !== undefined;
}

function routeChanged(change: Change, route: Route, { podTable, podByAddress, sourceOf }: Concerned): Meaning {
  const { destination, table } = route;
  if (table === MAIN_TABLE && destination.length === 0) return { kind: "mtu" };
  if (table !== podTable) return NOTHING;
  const pod = podByAddress(destination.address);
  if (!pod) return NOTHING;
  const isRight = route.index === pod.index && (pod.origin === "go" || route.source?.value === sourceOf(route.family)?.value);
  return change === "new" && isRight ? NOTHING : { kind: "pod", key: pod.key };
}

function addressChanged(change: Change, { index, address }: LinkAddress, { podByLink, isNodeAddress }: Concerned): Meaning {
  const pod = podByLink(index);
  if (pod) return change === "deleted" ? { kind: "pod", key: pod.key } : NOTHING;
  return isNodeAddress(address) ? { kind: "sources" } : NOTHING;
}

function neighbourChanged(change: Change, neighbour: Neighbour, { podByLink }: Concerned): Meaning {
  const pod = podByLink(neighbour.index);
  // Others are learnt by the kernel: a pod may also speak from its link-local address.
  if (!pod || pod.origin === "go" || !addressesOf(pod).some((address) => addressEquals(address, neighbour.address)))
    return NOTHING;
  const isOurs = change === "new" && neighbour.state === "permanent" && neighbour.mac === pod.macs.pod;
  return isOurs ? NOTHING : { kind: "pod", key: pod.key };
}
