import { type Address, formatAddress } from "../../ip/address.ts";
import type { Family } from "../../ip/family.ts";
import { formatPrefix, type Prefix } from "../../ip/prefix.ts";
import { encode } from "../netlink/body.ts";
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from "../netlink/constants.ts";
import { familyNumber } from "./codecs.ts";
import { RT_SCOPE_NOWHERE, RT_TABLE_UNSPEC, RTM_DELROUTE, RTM_NEWROUTE, RTN_UNSPEC, RTNH_F_ONLINK } from "./constants.ts";
import { ROUTE_SCOPES, ROUTE_TYPES, type RouteScope, type RouteType } from "./names.ts";
import type { RouteRequest } from "./request.ts";
import { routeMessage } from "./route-message.ts";

/** A route to add. */
export interface NewRoute {
  readonly family: Family;
  /** The default route if absent. */
  readonly destination?: Prefix | undefined;
  readonly table: number;
  /** Who makes it; see /etc/iproute2/rt_protos. */
  readonly protocol: number;
  /**
   * As `ip` chooses if absent: `host` for local routes, `link` for unicast without a gateway, otherwise `universe`. Unused in
   * IPv6.
   */
  readonly scope?: RouteScope | undefined;
  /** `unicast` if absent. */
  readonly type?: RouteType | undefined;
  /** The interface that it goes out of. */
  readonly index?: number | undefined;
  /** Of another family it becomes `via inet6 …`. */
  readonly gateway?: Address | undefined;
  /** Take the gateway to be on the link, whatever the addresses say. */
  readonly onLink?: boolean | undefined;
  /** The address that local sockets take when they use it. */
  readonly source?: Address | undefined;
  readonly metric?: number | undefined;
  readonly mtu?: number | undefined;
}

/** Which route to delete: what is absent matches anything, but for the destination, whose absence is the default route. */
export type OldRoute = Pick<NewRoute, "family" | "destination" | "table"> & Partial<NewRoute>;

/** Adds a route. `EEXIST`: there is one to this destination with this metric. */
export function addRoute(route: NewRoute): RouteRequest {
  return request("add", route, { type: RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_EXCL });
}

/** Adds a route, in place of the one to this destination with this metric if there is one. */
export function replaceRoute(route: NewRoute): RouteRequest {
  return request("set", route, { type: RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_REPLACE });
}

/** Deletes the first route that matches. `ESRCH`: there is none. */
export function deleteRoute(route: OldRoute): RouteRequest {
  return {
    describe: describe("delete", route),
    type: RTM_DELROUTE,
    flags: 0,
    payload: payloadOf(route, {
      scope: route.scope === undefined ? RT_SCOPE_NOWHERE : ROUTE_SCOPES[route.scope],
      type: route.type === undefined ? RTN_UNSPEC : ROUTE_TYPES[route.type],
    }),
  };
}

function request(verb: string, route: NewRoute, { type, flags }: { type: number; flags: number }): RouteRequest {
  const scope = ROUTE_SCOPES[route.scope ?? usualScope(route)];
  return {
    describe: describe(verb, route),
    type,
    flags,
    payload: payloadOf(route, { scope, type: ROUTE_TYPES[route.type ?? "unicast"] }),
  };
}

function usualScope({ family, type, gateway }: NewRoute): RouteScope {
  if (family === "ipv6") return "universe";
  if (type === "local") return "host";
  return (type === undefined || type === "unicast") && !gateway ? "link" : "universe";
}

function payloadOf(route: OldRoute, { scope, type }: { scope: number; type: number }): Uint8Array {
  const { family, destination, table, index, gateway, source, metric, mtu } = route;
  return encode(routeMessage, {
    header: {
      rtm_family: familyNumber(family),
      rtm_dst_len: destination?.length ?? 0,
      // Only 8 bits wide, and older readers look at nothing else.
      rtm_table: table < 256 ? table : RT_TABLE_UNSPEC,
      rtm_protocol: route.protocol ?? 0,
      rtm_scope: scope,
      rtm_type: type,
      rtm_flags: route.onLink ? RTNH_F_ONLINK : 0,
    },
    attributes: {
      destination: destination && destination.length > 0 ? destination.address : undefined,
      table,
      index,
      ...(gateway && (gateway.family === family ? { gateway } : { via: gateway })),
      source,
      metric,
      metrics: mtu === undefined ? undefined : { mtu },
    },
  });
}

function describe(verb: string, { family, destination, gateway, index, table }: OldRoute): string {
  const to = destination ? formatPrefix(destination) : `default (${family})`;
  const via = gateway ? ` via ${formatAddress(gateway)}` : "";
  const out = index === undefined ? "" : ` through link ${index}`;
  return `${verb} route ${to}${via}${out} in table ${table}`;
}
