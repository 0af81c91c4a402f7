import { type Address, formatAddress } from "../../ip/address.ts";
import { type Family, familyBits } from "../../ip/family.ts";
import { attributeSet } from "../netlink/attributes.ts";
import { bodyOf, encode } from "../netlink/body.ts";
import { s32, u32 } from "../netlink/codec.ts";
import type { NetlinkRequest } from "../netlink/request.ts";
import type { NetNamespace } from "../netns/namespace.ts";
import { addressMessage } from "./address.ts";
import { familyNumber } from "./codecs.ts";
import {
  NETNSA_FD,
  NETNSA_NSID,
  RTEXT_FILTER_SKIP_STATS,
  RTM_F_LOOKUP_TABLE,
  RTM_GETADDR,
  RTM_GETLINK,
  RTM_GETNEIGH,
  RTM_GETNSID,
  RTM_GETROUTE,
  RTM_GETRULE,
} from "./constants.ts";
import { linkRequest } from "./link-message.ts";
import { describeLink, type LinkSelector, selectorOf } from "./link-selector.ts";
import { neighbourMessage } from "./neighbour.ts";
import { routeMessage } from "./route-message.ts";
import { ruleMessage } from "./rule.ts";
import { rtgenmsg } from "./structs.ts";

/** Requests for what there is. The sockets ask for strict checks, so the kernel filters by all that stands in them. */

/** The number of a namespace, in messages. */
export const namespaceIdMessage = bodyOf(
  rtgenmsg,
  attributeSet({ id: { type: NETNSA_NSID, codec: s32 }, fd: { type: NETNSA_FD, codec: u32 } }),
);

/** Which routes to ask for. */
export interface RouteFilter {
  readonly family: Family;
  readonly table?: number | undefined;
  readonly protocol?: number | undefined;
  /** Of the interface that they go out of. */
  readonly index?: number | undefined;
}

/** Which objects of links to ask for; all of both families if empty. */
export interface LinkFilter {
  /** Of the link. */
  readonly index?: number | undefined;
  readonly family?: Family | undefined;
}

/** All links, or those of one kind. */
export function linksQuery(kind?: string): NetlinkRequest {
  const attributes = { extMask: RTEXT_FILTER_SKIP_STATS, info: kind === undefined ? undefined : { kind } };
  return query("list links", RTM_GETLINK, encode(linkRequest, { header: {}, attributes }));
}

/** One link. */
export function linkQuery(by: LinkSelector): NetlinkRequest {
  const { header, attributes } = selectorOf(by);
  const payload = encode(linkRequest, { header, attributes: { ...attributes, extMask: RTEXT_FILTER_SKIP_STATS } });
  return query(`find ${describeLink(by)}`, RTM_GETLINK, payload);
}

/** Addresses of links. */
export function addressesQuery({ index, family }: LinkFilter): NetlinkRequest {
  const header = { ifa_family: family ? familyNumber(family) : 0, ifa_index: index ?? 0 };
  return query("list addresses", RTM_GETADDR, encode(addressMessage, { header, attributes: {} }));
}

/** Entries of routing tables. */
export function routesQuery({ family, table, protocol, index }: RouteFilter): NetlinkRequest {
  const header = { rtm_family: familyNumber(family), rtm_protocol: protocol ?? 0 };
  return query(`list ${family} routes`, RTM_GETROUTE, encode(routeMessage, { header, attributes: { table, index } }));
}

/** The route that a packet to `address` would take. */
export function routeToQuery(address: Address): NetlinkRequest {
  const header = {
    rtm_family: familyNumber(address.family),
    rtm_dst_len: familyBits(address.family),
    // Otherwise an IPv4 answer names the main table, whichever it came from. IPv6 always tells, and refuses the flag.
    rtm_flags: address.family === "ipv4" ? RTM_F_LOOKUP_TABLE : 0,
  };
  const payload = encode(routeMessage, { header, attributes: { destination: address } });
  return query(`find the route to ${formatAddress(address)}`, RTM_GETROUTE, payload);
}

/** Rules of the policy database. */
export function rulesQuery(family: Family): NetlinkRequest {
  return query(
    `list ${family} rules`,
    RTM_GETRULE,
    encode(ruleMessage, { header: { family: familyNumber(family) }, attributes: {} }),
  );
}

/** Neighbours of links. */
export function neighboursQuery({ index, family }: LinkFilter): NetlinkRequest {
  const header = { ndm_family: family ? familyNumber(family) : 0 };
  return query("list neighbours", RTM_GETNEIGH, encode(neighbourMessage, { header, attributes: { index } }));
}

/** The number under which links name a namespace. */
export function namespaceIdQuery(namespace: NetNamespace): NetlinkRequest {
  const payload = encode(namespaceIdMessage, { header: {}, attributes: { fd: namespace.fd } });
  return query(`find the number of network namespace ${namespace.inode}`, RTM_GETNSID, payload);
}

function query(describe: string, type: number, payload: Uint8Array): NetlinkRequest {
  return { describe, type, flags: 0, payload };
}
