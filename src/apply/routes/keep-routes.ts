import { formatPrefix } from "../../ip/prefix.ts";
import type { NetNamespace } from "../../linux/netns/namespace.ts";
import type { RouteEvent } from "../../linux/route/event.ts";
import type { RouteGroup } from "../../linux/route/monitor.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Logger } from "../../observe/logger.ts";
import type { DriftJournal } from "../pod/drift-journal.ts";
import type { Kernel } from "../pod/kernel.ts";
import type { RouteOwnership, RouteReport, RouteTable } from "./route-table.ts";
import { isWanted } from "./wanted-routes.ts";

/** What keeping needs. */
export interface KeepOptions {
  readonly kernel: Kernel;
  readonly namespace: NetNamespace | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly journal: DriftJournal;
  /** The metric's label, and the noun in the log. */
  readonly kind: string;
  readonly own: RouteOwnership;
  /** Further changes to hear of. */
  readonly groups: readonly RouteGroup[];
  /** Whether a change of those may have taken routes away without the kernel saying so, or make one possible that failed. */
  concerns(event: RouteEvent): boolean;
  /** Called with the outcome of each comparison. */
  reported(report: RouteReport): void;
  readonly everythingMs: number;
}

const COALESCE_MS = 50;
/** Failed routes are tried again after so long, doubled each time. */
const FIRST_RETRY_MS = 1000;

/** Puts back what others remove from a table's own part, and tries failed routes again, until `signal` is aborted. */
export async function keepRoutes(table: RouteTable, options: KeepOptions, signal: AbortSignal): Promise<void> {
  const { kernel, namespace, clock, log, journal, kind, own } = options;
  let due = true;
  let wake: () => void = () => undefined;
  let retryMs = FIRST_RETRY_MS;

  function want(): void {
    due = true;
    wake();
  }

  function onEvent(event: RouteEvent): void {
    if (event.kind === "overrun" || isDrift(event) || options.concerns(event)) want();
  }

  function isDrift(event: RouteEvent): boolean {
    if (event.kind !== "route" || event.value.table !== own.table) return false;
    const { value, change } = event;
    if (change === "deleted") return value.protocol === own.protocol && isWanted(table.wanted, value);
    // One of another protocol may have taken the place of ours.
    return value.protocol === own.protocol ? !isWanted(table.wanted, value) : table.wanted.has(formatPrefix(value.destination));
  }

  async function pause(ms: number): Promise<void> {
    const stop = new AbortController();
    const ended = AbortSignal.any([signal, stop.signal]);
    wake = () => stop.abort();
    if (due) stop.abort();
    await clock.sleep(ms, { signal: ended }).catch((error: unknown) => {
      if (!ended.aborted) throw error;
    });
  }

  async function listen(): Promise<void> {
    while (!signal.aborted) {
      try {
        using monitor = kernel.openRouteMonitor({ groups: ["ipv4-route", "ipv6-route", ...options.groups], namespace });
        want();
        await monitor.run(signal, onEvent);
      } catch (error) {
        log.error({ err: error }, "cannot watch the kernel's routes: trying again");
        await clock.sleep(FIRST_RETRY_MS, { signal }).catch(() => undefined);
      }
    }
  }

  async function work(): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(COALESCE_MS, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      due = false;
      let failed = true;
      try {
        const report = await table.sync();
        for (const destination of report.drift) journal.repaired(kind, `${kind} ${destination}`);
        failed = report.failed.length > 0;
        options.reported(report);
      } catch (error) {
        log.error({ err: error }, "cannot compare the kernel's routes with what is wanted: trying again");
      }
      await pause(failed ? retryMs : options.everythingMs);
      retryMs = failed ? Math.min(retryMs * 2, options.everythingMs) : FIRST_RETRY_MS;
    }
  }

  await Promise.all([listen(), work()]);
}
