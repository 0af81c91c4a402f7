import { type Address, addressOf } from "../../ip/address.ts";
import type { Family } from "../../ip/family.ts";
import type { Prefix } from "../../ip/prefix.ts";
import type { NetlinkMessage } from "../netlink/message.ts";
import { familyOfNumber } from "./codecs.ts";
import { RTNH_F_ONLINK } from "./constants.ts";
import { nameOf, ROUTE_SCOPES, ROUTE_TYPES, type RouteScope, type RouteType } from "./names.ts";
import { type NextHop, routeMessage } from "./route-message.ts";

/** An entry of a routing table. */
export interface Route {
  readonly family: Family;
  /** Of length 0 for the default route. */
  readonly destination: Prefix;
  readonly table: number;
  /** Who made it: 2 the kernel, 3 a person at boot, 30 coild, … */
  readonly protocol: number;
  readonly scope: RouteScope | number;
  readonly type: RouteType | number;
  /** The interface that it goes out of; absent in routes that drop, and where there are several. */
  readonly index?: number;
  readonly gateway?: Address;
  /** The gateway is taken to be on the link, whatever the addresses say. */
  readonly onLink: boolean;
  /** The address that local sockets take when they use it. */
  readonly source?: Address;
  /** 0 if not given; IPv6 makes 1024 of that. */
  readonly metric: number;
  readonly mtu?: number;
  /** The ways of a route that has several. */
  readonly nextHops?: readonly NextHop[];
}

/** Reads RTM_NEWROUTE and RTM_DELROUTE; undefined for families other than IPv4 and IPv6. */
export function decodeRoute({ view, start, end }: NetlinkMessage): Route | undefined {
  const { header, attributes } = routeMessage.decode(view, start, end);
  const family = familyOfNumber(header.rtm_family);
  if (!family) return undefined;
  const { index, source, metrics, nextHops } = attributes;
  const gateway = attributes.gateway ?? attributes.via;
  return {
    family,
    destination: { address: attributes.destination ?? addressOf(family, 0n), length: header.rtm_dst_len },
    table: attributes.table ?? header.rtm_table,
    protocol: header.rtm_protocol,
    scope: nameOf(ROUTE_SCOPES, header.rtm_scope),
    type: nameOf(ROUTE_TYPES, header.rtm_type),
    ...(index !== undefined && { index }),
    ...(gateway && { gateway }),
    onLink: (header.rtm_flags & RTNH_F_ONLINK) !== 0,
    ...(source && { source }),
    metric: attributes.metric ?? 0,
    ...(metrics?.mtu !== undefined && { mtu: metrics.mtu }),
    ...(nextHops && { nextHops }),
  };
}
