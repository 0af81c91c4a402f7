import type { Address } from "../../ip/address.ts";
import type { Family } from "../../ip/family.ts";
import { KernelError } from "../kernel-error.ts";
import { NETLINK_ROUTE } from "../netlink/constants.ts";
import { type CallOptions, createNetlinkSocket, type NetlinkSocket } from "../netlink/socket.ts";
import { type NetlinkTransport, openNetlinkTransport } from "../netlink/transport.ts";
import type { NetNamespace } from "../netns/namespace.ts";
import { decodeLinkAddress, type LinkAddress } from "./address.ts";
import { decodeLink, type Link } from "./link.ts";
import type { LinkSelector } from "./link-selector.ts";
import { decodeNeighbour, type Neighbour } from "./neighbour.ts";
import {
  addressesQuery,
  type LinkFilter,
  linkQuery,
  linksQuery,
  namespaceIdMessage,
  namespaceIdQuery,
  neighboursQuery,
  type RouteFilter,
  routesQuery,
  routeToQuery,
  rulesQuery,
} from "./queries.ts";
import type { RouteRequest } from "./request.ts";
import { decodeRoute, type Route } from "./route.ts";
import { decodeRule, type Rule } from "./rule.ts";

/** Enough for the answers to a full batch, and for what a slow reader of them leaves. */
const RECEIVE_BUFFER_BYTES = 1 << 20;

/**
 * Reads and changes links, addresses, routes, rules and neighbours of one namespace, for life. Calls are queued and run in order;
 * what they send runs off the event loop, because it waits for the kernel's configuration lock. All reject with {@link
 * KernelError}. About `signal` see {@link NetlinkSocket}.
 */
export interface RouteSocket extends Disposable {
  /**
   * Sends all in one datagram, or a few when they are many. One result a request, in order; the kernel goes on after a failed
   * one.
   */
  tryBatch(requests: readonly RouteRequest[], options?: CallOptions): Promise<(KernelError | undefined)[]>;
  /** As `tryBatch`, but rejects with the first {@link KernelError}. What comes after the failed request was done nevertheless. */
  batch(requests: readonly RouteRequest[], options?: CallOptions): Promise<void>;
  /** All links, or those of a group or a kind. */
  links(
    filter?: { readonly group?: number | undefined; readonly kind?: string | undefined },
    options?: CallOptions,
  ): Promise<Link[]>;
  /** One link, without a dump; undefined when there is none. */
  link(by: LinkSelector, options?: CallOptions): Promise<Link | undefined>;
  addresses(filter?: LinkFilter, options?: CallOptions): Promise<LinkAddress[]>;
  /**
   * Routes of a table, or of all; none when there is no such table. The kernel's cached and local entries are in tables of their
   * own.
   */
  routes(filter: RouteFilter, options?: CallOptions): Promise<Route[]>;
  /** The route that a packet to `address` would take; undefined when there is none. */
  routeTo(address: Address, options?: CallOptions): Promise<Route | undefined>;
  rules(family: Family, options?: CallOptions): Promise<Rule[]>;
  neighbours(filter?: LinkFilter, options?: CallOptions): Promise<Neighbour[]>;
  /** The number under which links of this namespace name another one; undefined when none does. */
  namespaceId(namespace: NetNamespace, options?: CallOptions): Promise<number | undefined>;
}

/** Opens a socket in `namespace`, or in the current one. Throws {@link KernelError}. */
export function openRouteSocket(namespace?: NetNamespace): RouteSocket {
  return createRouteSocket(
    openNetlinkTransport({ protocol: NETLINK_ROUTE, namespace, receiveBufferBytes: RECEIVE_BUFFER_BYTES }),
  );
}

/** A socket over a transport of one's own, for tests. */
export function createRouteSocket(transport: NetlinkTransport): RouteSocket {
  const socket = createNetlinkSocket(transport);
  return {
    tryBatch: (requests, options) => socket.tryBatch(requests, options),
    batch: (requests, options) => socket.batch(requests, options),
    async links({ group, kind } = {}, options) {
      const links = await socket.dump(linksQuery(kind), decodeLink, options);
      // The kernel can filter by kind, but not by group.
      return group === undefined ? links : links.filter((link) => link.group === group);
    },
    link: (by, options) => orUndefined(socket.get(linkQuery(by), decodeLink, options), ["ENODEV"]),
    addresses: (filter = {}, options) => orNone(socket.dump(addressesQuery(filter), decodeLinkAddress, options), ["ENODEV"]),
    routes: (filter, options) => orNone(socket.dump(routesQuery(filter), decodeRoute, options), ["ENOENT", "ENODEV"]),
    routeTo: (address, options) =>
      orUndefined(socket.get(routeToQuery(address), decodeRoute, options), ["ENETUNREACH", "EHOSTUNREACH"]),
    rules: (family, options) => socket.dump(rulesQuery(family), decodeRule, options),
    neighbours: (filter = {}, options) => orNone(socket.dump(neighboursQuery(filter), decodeNeighbour, options), ["ENODEV"]),
    async namespaceId(namespace, options) {
      const id = await socket.get(
        namespaceIdQuery(namespace),
        ({ view, start, end }) => namespaceIdMessage.decode(view, start, end).attributes.id,
        options,
      );
      return id === undefined || id < 0 ? undefined : id;
    },
    [Symbol.dispose]: () => socket[Symbol.dispose](),
  };
}

async function orUndefined<T>(answer: Promise<T>, absent: readonly string[]): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof KernelError && absent.includes(error.code)) return undefined;
    throw error;
  }
}

async function orNone<T>(answer: Promise<T[]>, absent: readonly string[]): Promise<T[]> {
  return (await orUndefined(answer, absent)) ?? [];
}
