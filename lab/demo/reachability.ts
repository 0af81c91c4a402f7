import { runCommand } from "../machine/command.ts";
import { inNamespace } from "../machine/namespace.ts";
import type { RunningPod } from "./running-pods.ts";

/** Names the addresses that do not answer a ping, one a line. All are asked at the same time. */
const PING_ALL = 'for a in "$@"; do (ping -n -q -c 1 -W 2 "$a" >/dev/null 2>&1 || echo "$a") & done; wait';
/** Pods that ping at the same time. */
const CONCURRENCY = 4;

export interface Reachability {
  readonly pings: number;
  /** `namespace/pod -> address`, for each ping without answer. */
  readonly failures: readonly string[];
}

/** Lets each pod ping the addresses, of families that it has itself, of the pods that `targetsOf` gives for it. */
export async function pingAll(
  pods: readonly RunningPod[],
  targetsOf: (source: RunningPod) => readonly RunningPod[],
): Promise<Reachability> {
  const waiting = pods.map((source) => {
    const families = new Set(source.addresses.map(isIPv6));
    const addresses = targetsOf(source).flatMap((target) => target.addresses.filter((address) => families.has(isIPv6(address))));
    return { source, addresses };
  });
  const failures: string[] = [];
  let pings = 0;
  const work = async () => {
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const { source, addresses } = next;
      const silent = await runCommand(inNamespace(source.netns, ["sh", "-c", PING_ALL, "ping", ...addresses]));
      pings += addresses.length;
      for (const address of silent.split("\n").filter(Boolean)) failures.push(`${source.namespace}/${source.name} -> ${address}`);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return { pings, failures };
}

function isIPv6(address: string): boolean {
  return address.includes(":");
}

/** All pods but the one that asks. */
export function allOthers(pods: readonly RunningPod[]): (source: RunningPod) => readonly RunningPod[] {
  return (source) => pods.filter((pod) => pod !== source);
}
