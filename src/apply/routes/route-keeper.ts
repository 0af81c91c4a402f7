import type { KernelError } from "../../linux/kernel-error.ts";
import type { NetNamespace } from "../../linux/netns/namespace.ts";
import type { RouteEvent } from "../../linux/route/event.ts";
import type { RouteGroup } from "../../linux/route/monitor.ts";
import { type Clock, realClock } from "../../observe/clock.ts";
import type { Logger } from "../../observe/logger.ts";
import type { WantedRoute } from "../../podnet/route-changes.ts";
import { createDriftJournal } from "../pod/drift-journal.ts";
import { type Kernel, linuxKernel } from "../pod/kernel.ts";
import { keepRoutes } from "./keep-routes.ts";
import { createRouteTable, type RouteOwnership, type RouteReport } from "./route-table.ts";

/** What keepers of routes are made with. */
export interface RouteKeeperDeps {
  readonly log: Logger;
  readonly clock?: Clock;
  /** Called for each route that others had removed or altered and that was put back. */
  readonly driftRepaired?: (kind: string) => void;
  readonly kernel?: Kernel;
  /** Everything is compared so often, should an event have been missed. */
  readonly everythingMs?: number;
  /** The host's namespace; the current one if absent. It is not closed here. */
  readonly namespace?: NetNamespace | undefined;
}

/** Routes of one kind. */
export interface RouteKind {
  readonly own: RouteOwnership;
  /** The metric's label. */
  readonly kind: string;
  /** Changes besides those of routes that matter. */
  readonly groups: readonly RouteGroup[];
  /** Whether one of them may have taken routes away without the kernel saying so, or make one possible that failed. */
  concerns(event: RouteEvent): boolean;
  /** A failure in words. */
  explain(route: WantedRoute, error: KernelError): string;
  /** A problem in words. */
  describe(destination: string, reason: string): string;
}

/** Keeps routes of one protocol in one table; others' routes there are never touched. */
export interface RouteKeeper extends AsyncDisposable {
  /** Wants these routes and no others: adds and replaces first, then removes. One that fails does not stop the others. */
  apply(routes: readonly WantedRoute[]): Promise<RouteReport>;
  /** What could not be done, in words. */
  problems(): string[];
  /** Puts back within a second what others remove, and tries failed routes again. Ends when aborted. */
  run(signal: AbortSignal): Promise<void>;
}

const EVERYTHING_MS = 30_000;

/** A keeper that wants nothing until its first `apply`, and leaves what is there until then. */
export function createRouteKeeper(deps: RouteKeeperDeps, routeKind: RouteKind): RouteKeeper {
  const {
    log,
    clock = realClock,
    driftRepaired = () => undefined,
    kernel = linuxKernel,
    everythingMs = EVERYTHING_MS,
    namespace,
  } = deps;
  const socket = kernel.openRouteSocket(namespace);
  const table = createRouteTable(socket, routeKind.own, (route, error) =>
    error.code === "EEXIST" ? "another program has a route to it" : routeKind.explain(route, error),
  );
  const journal = createDriftJournal({ log, clock, count: driftRepaired });
  let problems: string[] = [];

  function reported({ failed }: RouteReport): void {
    const now = failed.map(({ destination, reason }) => routeKind.describe(destination, reason));
    for (const problem of now) if (!problems.includes(problem)) log.warn({ problem }, "cannot keep a route as wanted");
    problems = now;
  }

  return {
    async apply(routes) {
      const report = await table.apply(routes);
      reported(report);
      return report;
    },
    problems: () => problems,
    run: (signal) => keepRoutes(table, { ...routeKind, kernel, namespace, clock, log, journal, reported, everythingMs }, signal),
    async [Symbol.asyncDispose]() {
      socket[Symbol.dispose]();
    },
  };
}
