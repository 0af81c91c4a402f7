import type { NetlinkRequest } from "../netlink/request.ts";

/** A change of links, addresses, routes, rules or neighbours, made by the builders of this folder and sent by a RouteSocket. */
export type RouteRequest = NetlinkRequest;
