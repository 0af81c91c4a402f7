import { formatPrefix, prefixFamily } from "../../ip/prefix.ts";
import type { KernelError } from "../../linux/kernel-error.ts";
import { addRoute, deleteRoute, replaceRoute } from "../../linux/route/change-route.ts";
import type { Route } from "../../linux/route/route.ts";
import type { RouteSocket } from "../../linux/route/socket.ts";
import type { RouteState } from "../../podnet/host-state.ts";
import { planRouteChanges, type WantedRoute } from "../../podnet/route-changes.ts";
import { sameWay, type WantedRoutes, wantedRoutes } from "./wanted-routes.ts";

/** Which routes are ours: all of one protocol in one table. */
export interface RouteOwnership {
  readonly table: number;
  readonly protocol: number;
}

/** What came of one comparison with the kernel. */
export interface RouteReport {
  readonly added: number;
  readonly replaced: number;
  readonly removed: number;
  /** Wanted routes that the kernel does not have, and unwanted ones that it kept, with the reason in words. */
  readonly failed: readonly { readonly destination: string; readonly reason: string }[];
  /** What was put back although nobody had asked for a change. */
  readonly drift: readonly string[];
}

/** Routes that are kept in the kernel. */
export interface RouteTable {
  /** What is wanted now. */
  readonly wanted: WantedRoutes;
  /** Wants other routes from now on, and makes it so. Calls are served in order. Rejects with `KernelError` when the table cannot be read. */
  apply(routes: readonly WantedRoute[]): Promise<RouteReport>;
  /** Compares again. */
  sync(): Promise<RouteReport>;
}

/** The part of a table that is ours; nothing is touched before the first {@link RouteTable.apply}. `explain` puts failures in words. */
export function createRouteTable(
  socket: RouteSocket,
  own: RouteOwnership,
  explain: (route: WantedRoute, error: KernelError) => string,
): RouteTable {
  let wanted: WantedRoutes = new Map();
  let started = false;
  let applied: WantedRoutes = new Map();
  let tail: Promise<unknown> = Promise.resolve();

  async function read({ all }: { readonly all: boolean }): Promise<Route[]> {
    const filter = { table: own.table, ...(all ? {} : { protocol: own.protocol }) };
    return [...(await socket.routes({ family: "ipv4", ...filter })), ...(await socket.routes({ family: "ipv6", ...filter }))];
  }

  async function compare(): Promise<RouteReport> {
    // After a restart, what is there is right until the opposite is known.
    if (!started) return { added: 0, replaced: 0, removed: 0, failed: [], drift: [] };
    const target = [...wanted.values()];
    let changes = planRouteChanges(target, await read({ all: false }), own);
    // A replacement hits the first route to the destination: make sure that there is none of others.
    if (changes.replace.length > 0) changes = planRouteChanges(target, await read({ all: true }), own);
    const full = (route: WantedRoute) => ({
      ...route,
      ...own,
      family: prefixFamily(route.destination),
      scope: "universe" as const,
    });
    const made = [...changes.add, ...changes.replace];
    const results = await socket.tryBatch([
      ...changes.add.map((route) => addRoute(full(route))),
      ...changes.replace.map((route) => replaceRoute(full(route))),
    ]);
    const removals = await socket.tryBatch(changes.remove.map(removal));
    const failed = made.flatMap((route, i) => {
      const error = results[i];
      return error ? [{ destination: formatPrefix(route.destination), reason: explain(route, error) }] : [];
    });
    for (const route of changes.blocked) {
      failed.push({ destination: formatPrefix(route.destination), reason: "another program has a route to it" });
    }
    for (const [i, { destination }] of changes.remove.entries()) {
      const error = removals[i];
      if (error && error.code !== "ESRCH")
        failed.push({ destination: formatPrefix(destination), reason: `cannot remove it: ${error.message}` });
    }
    const missing = new Set(failed.map(({ destination }) => destination));
    const drift = made.filter((route) => wasApplied(applied, route)).map(({ destination }) => formatPrefix(destination));
    applied = wantedRoutes(target.filter(({ destination }) => !missing.has(formatPrefix(destination))));
    return {
      added: changes.add.filter((_, i) => !results[i]).length,
      replaced: changes.replace.filter((_, i) => !results[changes.add.length + i]).length,
      removed: removals.filter((error) => !error).length,
      failed,
      drift: drift.filter((destination) => !missing.has(destination)),
    };
  }

  function inTurn(): Promise<RouteReport> {
    const result = tail.then(compare);
    tail = result.catch(() => undefined);
    return result;
  }

  return {
    get wanted() {
      return wanted;
    },
    apply(routes) {
      wanted = wantedRoutes(routes);
      started = true;
      return inTurn();
    },
    sync: inTurn,
  };
}

function wasApplied(applied: WantedRoutes, route: WantedRoute): boolean {
  const before = applied.get(formatPrefix(route.destination));
  return before !== undefined && sameWay(before, route);
}

/** As exact as the kernel can be told, so that nothing else to the same destination is hit. */
function removal({ family, destination, table, protocol, index, gateway, metric }: RouteState) {
  return deleteRoute({ family, destination, table, protocol, ...(index && { index }), ...(gateway && { gateway }), metric });
}
