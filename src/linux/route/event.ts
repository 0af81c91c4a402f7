import type { NetlinkMessage } from "../netlink/message.ts";
import { decodeLinkAddress, type LinkAddress } from "./address.ts";
import {
  RTM_DELADDR,
  RTM_DELLINK,
  RTM_DELNEIGH,
  RTM_DELROUTE,
  RTM_DELRULE,
  RTM_NEWADDR,
  RTM_NEWLINK,
  RTM_NEWNEIGH,
  RTM_NEWROUTE,
  RTM_NEWRULE,
} from "./constants.ts";
import { decodeLink, type Link } from "./link.ts";
import { decodeNeighbour, type Neighbour } from "./neighbour.ts";
import { decodeRoute, type Route } from "./route.ts";
import { decodeRule, type Rule } from "./rule.ts";

/** `new` also tells of changes: the value is what there is now. With `deleted` it is what there was. */
export type Change = "new" | "deleted";

/** What happened in a namespace. After `overrun` events were lost: compare everything. */
export type RouteEvent =
  | { readonly kind: "link"; readonly change: Change; readonly value: Link }
  | { readonly kind: "address"; readonly change: Change; readonly value: LinkAddress }
  | { readonly kind: "route"; readonly change: Change; readonly value: Route }
  | { readonly kind: "rule"; readonly change: Change; readonly value: Rule }
  | { readonly kind: "neighbour"; readonly change: Change; readonly value: Neighbour }
  | { readonly kind: "overrun" };

/** Reads a notification; undefined for those that this module has no value for. */
export function decodeEvent(message: NetlinkMessage): RouteEvent | undefined {
  switch (message.type) {
    case RTM_NEWLINK:
    case RTM_DELLINK: {
      const value = decodeLink(message);
      return value && { kind: "link", change: message.type === RTM_NEWLINK ? "new" : "deleted", value };
    }
    case RTM_NEWADDR:
    case RTM_DELADDR: {
      const value = decodeLinkAddress(message);
      return value && { kind: "address", change: message.type === RTM_NEWADDR ? "new" : "deleted", value };
    }
    case RTM_NEWROUTE:
    case RTM_DELROUTE: {
      const value = decodeRoute(message);
      return value && { kind: "route", change: message.type === RTM_NEWROUTE ? "new" : "deleted", value };
    }
    case RTM_NEWRULE:
    case RTM_DELRULE: {
      const value = decodeRule(message);
      return value && { kind: "rule", change: message.type === RTM_NEWRULE ? "new" : "deleted", value };
    }
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH: {
      const value = decodeNeighbour(message);
      return value && { kind: "neighbour", change: message.type === RTM_NEWNEIGH ? "new" : "deleted", value };
    }
    default:
      return undefined;
  }
}
