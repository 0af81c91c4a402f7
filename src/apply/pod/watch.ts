import type { NetNamespace } from "../../linux/netns/namespace.ts";
import type { RouteEvent } from "../../linux/route/event.ts";
import type { RouteGroup } from "../../linux/route/monitor.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Logger } from "../../observe/logger.ts";
import { type Concerned, meaningOf } from "./changes.ts";
import type { HostSettings } from "./host-settings.ts";
import type { Kernel } from "./kernel.ts";
import type { NodeFacts } from "./node-facts.ts";
import type { Repairer } from "./repairer.ts";

/** How often things are looked at without a reason, in milliseconds. */
export interface WatchPeriods {
  /** Settings that the kernel does not tell changes of. */
  readonly settingsMs: number;
  /** Everything, should an event have been missed. */
  readonly everythingMs: number;
}

interface WatchOptions {
  readonly kernel: Kernel;
  readonly namespace: NetNamespace | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly concerned: Concerned;
  readonly repairer: Repairer;
  readonly settings: HostSettings;
  readonly facts: NodeFacts;
  readonly periods: WatchPeriods;
  linkGone(index: number): void;
}

/** Changes that come together are worked on together, and who fights us is answered so many times a second at most. */
const COALESCE_MS = 30;
const RETRY_MS = 500;
/** Reading everything costs less than reading so many pods one by one. */
const MANY_PODS = 32;

const GROUPS: readonly RouteGroup[] = [
  "link",
  "ipv4-address",
  "ipv6-address",
  "ipv4-route",
  "ipv6-route",
  "ipv4-rule",
  "ipv6-rule",
  "neighbour",
];

/** Watches the host and has repaired what others alter, until `signal` is aborted. */
export async function watchHost(options: WatchOptions, signal: AbortSignal): Promise<void> {
  const { clock, repairer, settings, facts, log } = options;
  const pods = new Set<string>();
  const links = new Set<string>();
  const due = new Set<"rules" | "sources" | "mtu" | "everything">();
  let wake: () => void = () => undefined;

  function onEvent(event: RouteEvent): void {
    const meaning = meaningOf(event, options.concerned);
    if (meaning.kind === "nothing") return;
    if (meaning.kind === "link-gone") {
      options.linkGone(meaning.index);
      return;
    }
    if (meaning.kind === "pod") pods.add(meaning.key);
    else if (meaning.kind !== "pod-link") due.add(meaning.kind);
    else if (meaning.damaged) links.add(meaning.key);
    else links.delete(meaning.key);
    wake();
  }

  function wantEverything(): void {
    for (const kind of ["rules", "sources", "mtu", "everything"] as const) due.add(kind);
    wake();
  }

  async function listen(): Promise<void> {
    while (!signal.aborted) {
      try {
        using monitor = options.kernel.openRouteMonitor({ groups: GROUPS, namespace: options.namespace });
        // What happened before it was open.
        wantEverything();
        await monitor.run(signal, onEvent);
      } catch (error) {
        log.error({ err: error }, "cannot watch the kernel's network configuration: trying again");
        await pause(clock, RETRY_MS, signal);
      }
    }
  }

  async function workOff(): Promise<void> {
    if (due.delete("rules")) await settings.ensureRules();
    // The kernel removes IPv4 routes with their source address without a word, also when it comes back at once.
    const sources = due.delete("sources");
    const planned = sources && (await facts.refreshSources());
    if (due.delete("mtu") && (await facts.refreshMtu())) log.info({ mtu: facts.mtu }, "new pods get another MTU");
    const keys = pods.union(links);
    pods.clear();
    links.clear();
    if (due.delete("everything") || sources || keys.size > MANY_PODS) await repairer.repairAll({ planned });
    else for (const key of keys) await repairer.repairPod(key);
  }

  async function work(): Promise<void> {
    while (!signal.aborted) {
      if (due.size === 0 && pods.size === 0 && links.size === 0) await waitFor(signal, (resolve) => (wake = resolve));
      await pause(clock, COALESCE_MS, signal);
      if (signal.aborted) return;
      try {
        await workOff();
      } catch (error) {
        log.error({ err: error }, "cannot compare the kernel's network configuration with what is wanted: trying again");
        wantEverything();
        await pause(clock, RETRY_MS, signal);
      }
    }
  }

  async function tick(ms: number, act: () => void): Promise<void> {
    while (!signal.aborted) {
      await pause(clock, ms, signal);
      if (!signal.aborted) act();
    }
  }

  await Promise.all([
    listen(),
    work(),
    tick(options.periods.settingsMs, () => settings.ensureForwarding()),
    tick(options.periods.everythingMs, wantEverything),
  ]);
}

/** Sleeps, or less when aborted: the caller looks at the signal. */
async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  await clock.sleep(ms, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}

/** Waits until `resolve` is called or the signal is aborted. */
async function waitFor(signal: AbortSignal, start: (resolve: () => void) => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const onAbort = () => resolve();
  signal.addEventListener("abort", onAbort, { once: true });
  start(resolve);
  await promise;
  signal.removeEventListener("abort", onAbort);
}
