import type { Prefix } from "../ip/prefix.ts";
import { exportedRoutes } from "../podnet/exports.ts";
import { createRouteKeeper, type RouteKeeper, type RouteKeeperDeps } from "./routes/route-keeper.ts";
import type { RouteOwnership, RouteReport } from "./routes/route-table.ts";

/** The table from which routing daemons announce this node's blocks. */
export interface RouteExporter extends Omit<RouteKeeper, "apply"> {
  /** Exports these networks and no others: adds first, then removes. One that fails does not stop the others; `run` tries it again. */
  apply(prefixes: readonly Prefix[]): Promise<RouteReport>;
}

const LOOPBACK_INDEX = 1;

/** Exports into a table with a protocol. Other protocols' routes there are never touched. */
export function createRouteExporter(own: RouteOwnership, deps: RouteKeeperDeps): RouteExporter {
  const keeper = createRouteKeeper(deps, {
    own,
    kind: "exported-route",
    groups: ["link"],
    // The kernel does not tell of IPv4 routes that go away with their link.
    concerns: (event) => event.kind === "link" && event.value.index === LOOPBACK_INDEX,
    explain: (_route, error) => error.message,
    describe: (destination, reason) => `cannot export ${destination}: ${reason}`,
  });
  return { ...keeper, apply: (prefixes) => keeper.apply(exportedRoutes(prefixes)) };
}
