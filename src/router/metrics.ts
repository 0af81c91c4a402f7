import { counter, gauge, histogram, type Registry } from "../observe/metrics.ts";

/** What a sync changed. */
export interface SyncFigures {
  readonly added: number;
  readonly replaced: number;
  readonly removed: number;
  readonly durationMs: number;
}

/** How things are at the moment of a scrape. */
export interface RouterState {
  /** Routes that are wanted. */
  readonly routes: number;
  /** Those of them that the kernel refuses, for now. */
  readonly failed: number;
  /** Blocks without a route, because there is no node or address to route to. */
  readonly skipped: number;
}

/** What the router counts. */
export interface RouterMetrics {
  synced(figures: SyncFigures): void;
  failed(): void;
}

/** Registers the series of one node. */
export function createRouterMetrics(
  registry: Registry,
  { node, state }: { node: string; state: () => RouterState },
): RouterMetrics {
  const labelNames = ["node"] as const;
  const show = (name: string, help: string, read: (state: RouterState) => number) =>
    gauge(registry, name, help, { labelNames, read: (made) => made.set({ node }, read(state())) });
  show("coil_router_routes_synced", "Routes that are in place.", ({ routes, failed }) => routes - failed);
  show("coil_router_failed_routes", "Routes that the kernel refuses.", ({ failed }) => failed);
  show("coil_router_skipped_blocks", "Blocks without a route, for want of a node's address.", ({ skipped }) => skipped);
  const syncs = counter(registry, "coil_router_syncs_total", "Completed syncs.", labelNames);
  const failures = counter(
    registry,
    "coil_router_sync_failures_total",
    "Syncs that could not read the kernel's routes.",
    labelNames,
  );
  const changes = counter(registry, "coil_router_route_changes_total", "Routes changed by syncs.", ["node", "change"]);
  const duration = histogram(registry, "coil_router_sync_seconds", "Time of a sync.", { labelNames });
  syncs.inc({ node }, 0);
  failures.inc({ node }, 0);
  return {
    synced(figures) {
      syncs.inc({ node });
      for (const change of ["added", "replaced", "removed"] as const) changes.inc({ node, change }, figures[change]);
      duration.observe({ node }, figures.durationMs / 1000);
    },
    failed: () => failures.inc({ node }),
  };
}
