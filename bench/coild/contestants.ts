import { buildPlugin } from "../../plugin/build.ts";
import type { Contestant } from "../measure/rounds.ts";
import type { Launcher } from "../peers/launcher.ts";
import { sumOfSeries } from "../programs/metrics-text.ts";
import { callCoild, cniEnvironment, sandboxOf } from "./calls.ts";
import type { BenchPod, CoildNode } from "./node.ts";

/** The parts of an ADD as coild itself counts them. */
export const ADD_PHASES = ["pod", "address", "network", "total"] as const;

/** One call after the other over the socket: `LABEL`, and `LABEL, in coild: PHASE`, the mean of each round; all are removed together. */
export function overSocket(node: CoildNode, label: string, pods: readonly BenchPod[]): Contestant {
  return {
    async run() {
      const before = await node.coild.metrics();
      const sandboxes = pods.map(sandboxOf);
      const adds: number[] = [];
      for (const sandbox of sandboxes) adds.push(await callCoild(node.socket, "add", sandbox));
      const after = await node.coild.metrics();
      await Promise.all(sandboxes.map((sandbox) => callCoild(node.socket, "del", sandbox)));
      const phases = ADD_PHASES.map((phase) => [`${label}, in coild: ${phase}`, [meanMs(before, after, phase)]] as const);
      return new Map<string, readonly number[]>([[label, adds], ...phases]);
    },
  };
}

/** All at the same time: `LABEL ADD` and `LABEL DEL`, ms for all. */
export function crowd(node: CoildNode, label: string, pods: readonly BenchPod[]): Contestant {
  return {
    async run() {
      const sandboxes = pods.map(sandboxOf);
      const started = performance.now();
      await Promise.all(sandboxes.map((sandbox) => callCoild(node.socket, "add", sandbox)));
      const added = performance.now();
      await Promise.all(sandboxes.map((sandbox) => callCoild(node.socket, "del", sandbox)));
      return new Map([
        [`${label} ADD`, [added - started]],
        [`${label} DEL`, [performance.now() - added]],
      ]);
    },
  };
}

/** The executable plugin, one run after the other: `LABEL ADD` and `LABEL DEL`. */
export async function executable(
  node: CoildNode,
  label: string,
  pods: readonly BenchPod[],
  launch: Launcher,
): Promise<Contestant> {
  const binary = await buildPlugin({ log: () => {} });
  const input = JSON.stringify({ cniVersion: "1.0.0", name: "k8s-pod-network", type: "coil", socket: node.socket });
  return plugin(label, pods, (command, sandboxes) =>
    launch({ command: [binary], environments: sandboxes.map((sandbox) => cniEnvironment(command, sandbox)), input }),
  );
}

/** Debian's ptp with host-local, in a namespace of its own for the host. */
export function ptp(
  label: string,
  pods: readonly BenchPod[],
  launch: Launcher,
  place: { folder: string; host: string },
): Contestant {
  const ipam = { type: "host-local", ranges: [[{ subnet: "10.66.0.0/16" }]], dataDir: `${place.folder}/ptp` };
  const input = JSON.stringify({ cniVersion: "1.0.0", name: "ptp", type: "ptp", mtu: 1450, ipam });
  return plugin(label, pods, (command, sandboxes) =>
    launch({
      ...{ command: ["/usr/lib/cni/ptp"], input, netns: place.host },
      environments: sandboxes.map((sandbox) => ({
        ...cniEnvironment(command, sandbox),
        ...{ CNI_ARGS: "IgnoreUnknown=1", PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
      })),
    }),
  );
}

type RunPlugin = (command: "ADD" | "DEL", sandboxes: readonly ReturnType<typeof sandboxOf>[]) => ReturnType<Launcher>;

function plugin(label: string, pods: readonly BenchPod[], run: RunPlugin): Contestant {
  return {
    async run() {
      const sandboxes = pods.map(sandboxOf);
      const adds = await run("ADD", sandboxes);
      const dels = await run("DEL", sandboxes);
      return new Map([
        [`${label} ADD`, adds.map(({ ms }) => ms)],
        [`${label} DEL`, dels.map(({ ms }) => ms)],
      ]);
    },
  };
}

function meanMs(before: string, after: string, phase: string): number {
  const ofPhase = (text: string, part: "sum" | "count") =>
    sumOfSeries(text, `coil_cni_phase_seconds_${part}`, (labels) => labels["command"] === "ADD" && labels["phase"] === phase);
  const calls = ofPhase(after, "count") - ofPhase(before, "count");
  return ((ofPhase(after, "sum") - ofPhase(before, "sum")) * 1000) / calls;
}
