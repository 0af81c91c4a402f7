import { FAMILIES, type Family } from "../../ip/family.ts";
import { formatPrefix } from "../../ip/prefix.ts";
import { NLM_F_EXCL } from "../../linux/netlink/constants.ts";
import type { NetNamespace } from "../../linux/netns/namespace.ts";
import { addRule } from "../../linux/route/change-rule.ts";
import type { RouteRequest } from "../../linux/route/request.ts";
import type { Rule } from "../../linux/route/rule.ts";
import type { RouteSocket } from "../../linux/route/socket.ts";
import { findPodRule, type PodRule } from "../../podnet/pod-rule.ts";
import type { DriftJournal } from "./drift-journal.ts";
import type { Kernel } from "./kernel.ts";

/** What all pods of a host need of it: forwarding in both families, and the rule that leads to their routes. */
export interface HostSettings {
  /** Switches forwarding on where it is off. Short and synchronous. */
  ensureForwarding(): void;
  /** Adds the rule where it is missing. Rules of others are never touched. */
  ensureRules(): Promise<void>;
  /** Makes a pod's new link refuse router advertisements: with `accept_ra` 2 by default a pod could give its node a default route. */
  refuseAdvertisements(hostInterface: string): void;
  /** What stands against traffic of pods, in words. */
  problems(): string[];
}

interface HostSettingsOptions {
  readonly kernel: Kernel;
  readonly namespace: NetNamespace | undefined;
  readonly socket: RouteSocket;
  readonly rule: PodRule;
  readonly journal: DriftJournal;
}

const FORWARDING: Readonly<Record<Family, string>> = { ipv4: "net.ipv4.ip_forward", ipv6: "net.ipv6.conf.all.forwarding" };

const ACCEPT_BY_DEFAULT = "net.ipv6.conf.default.accept_ra";

/** Settings of the namespace of `socket`, which must be `namespace`. What is missing when they are first ensured is no drift. */
export function createHostSettings({ kernel, namespace, socket, rule, journal }: HostSettingsOptions): HostSettings {
  const forwardingProblems = new Map<Family, string>();
  const ruleProblems = new Map<Family, string>();
  const ensured = new Set<string>();
  // 0 is no, and 1 is no on a host that forwards.
  let acceptsAdvertisements = false;

  function changed(kind: string, name: string): void {
    if (ensured.has(name)) journal.repaired(kind, name);
    ensured.add(name);
  }

  function ensureForwardingOf(family: Family): void {
    const name = FORWARDING[family];
    try {
      const value = kernel.readSysctl(name, namespace);
      forwardingProblems.delete(family);
      // No such file: the kernel runs without this family.
      if (value === undefined) return;
      if (value.trim() === "1") ensured.add(name);
      else {
        kernel.writeSysctl(name, "1", namespace);
        changed("sysctl", name);
      }
    } catch (error) {
      forwardingProblems.set(family, `${family} packets are not forwarded to pods: cannot set ${name} to 1: ${String(error)}`);
    }
  }

  async function ensureRuleOf(family: Family): Promise<void> {
    const name = `${family} rule ${rule.priority} for table ${rule.table}`;
    try {
      const rules = await socket.rules(family);
      const judged = rules.map((found) => ({ ...found, plain: isPlain(found) }));
      const { present, foreign } = findPodRule(judged, rule);
      if (present) ensured.add(name);
      else {
        await socket.batch([besideNarrower(addRule({ family, ...rule }))]);
        changed("rule", name);
      }
      if (foreign.length === 0) ruleProblems.delete(family);
      else ruleProblems.set(family, foreignRulesProblem(family, rule, foreign));
    } catch (error) {
      ruleProblems.set(family, `cannot ensure the ${name}: ${String(error)}`);
    }
  }

  return {
    ensureForwarding() {
      FAMILIES.forEach(ensureForwardingOf);
      acceptsAdvertisements = kernel.readSysctl(ACCEPT_BY_DEFAULT, namespace) === "2";
    },
    refuseAdvertisements(hostInterface) {
      if (acceptsAdvertisements) kernel.writeSysctl(["net", "ipv6", "conf", hostInterface, "accept_ra"], "0", namespace);
    },
    async ensureRules() {
      for (const family of FAMILIES) {
        // Without the family in the kernel there are no rules to be had, and none needed.
        if (kernel.readSysctl(FORWARDING[family], namespace) !== undefined) await ensureRuleOf(family);
      }
    },
    problems: () => [...forwardingProblems.values(), ...ruleProblems.values()],
  };
}

/** To a request that must create something, the kernel answers EEXIST also when the rule for this table that it finds has a condition. */
function besideNarrower(request: RouteRequest): RouteRequest {
  return { ...request, flags: request.flags & ~NLM_F_EXCL };
}

/** Whether a rule sends every packet to its table. */
function isPlain(rule: Rule): boolean {
  const { source, destination, fwmark, iif, oif, tos, suppressPrefixLength } = rule;
  const conditions = [source, destination, fwmark, iif, oif, tos, suppressPrefixLength];
  const unconditional =
    conditions.every((condition) => condition === undefined) && !rule.invert && !rule.l3mdev && !rule.furtherConditions;
  return rule.action === "lookup" && unconditional;
}

function foreignRulesProblem(family: Family, wanted: PodRule, foreign: readonly Rule[]): string {
  const texts = foreign.map(({ source, destination, action, table }) => {
    const from = `from ${source ? formatPrefix(source) : "all"}`;
    const to = destination ? ` to ${formatPrefix(destination)}` : "";
    return `"${from}${to} ${action}${table === 0 ? "" : ` ${table}`}"`;
  });
  return `${family} rule priority ${wanted.priority} is also used by another program: ${texts.join(", ")}; choose another priority for pods or for it`;
}
