import type { PodAttachment } from "../../src/podnet/plan.ts";
import { planPod } from "../../src/podnet/plan.ts";
import { attachmentOf } from "../../test/support/pod-host.ts";
import type { Contestant } from "../measure/rounds.ts";
import { setUpByIp } from "../peers/ip-batch.ts";
import type { Replay } from "../peers/replay.ts";
import { podScript, removalScript } from "./by-replay.ts";
import type { BenchNode } from "./node.ts";

export type Families = "ipv4" | "ipv6" | "dual";

/** What is set up and removed in one round. */
export interface PodRun {
  readonly node: BenchNode;
  /** Put before the names of what is measured. */
  readonly label: string;
  readonly count: number;
  readonly families: Families;
  /** Number of the first pod, so that no two runs share one. */
  readonly first: number;
}

const PHASES = ["namespace", "veth", "pod", "host"] as const;
const NEVER = new AbortController().signal;

/** Ours, one pod after the other: `LABEL ADD`, `LABEL DEL`, and `LABEL ADD, PHASE`, ms a pod. */
export function oneByOne({ node, label, count, families, first }: PodRun): Contestant {
  return {
    async run() {
      const spaces = node.pods(count);
      const adds: number[] = [];
      const dels: number[] = [];
      for (const name of [...PHASES, "delete"]) node.phase(name);
      const attachments = attachmentsOf(first, count, families);
      for (const [i, attachment] of attachments.entries()) {
        adds.push(await timed(() => node.network.setUp(attachment, { netns: spaces[i] as string, signal: NEVER })));
      }
      for (const { key } of attachments) dels.push(await timed(() => node.network.tearDown(key, { signal: NEVER })));
      const phases = PHASES.map((name) => [`${label} ADD, ${name}`, node.phase(name).map((seconds) => seconds * 1000)] as const);
      return new Map<string, readonly number[]>([[`${label} ADD`, adds], [`${label} DEL`, dels], ...phases]);
    },
  };
}

/** Ours, all at the same time: `LABEL ADD` and `LABEL DEL`, ms for all. */
export function allAtOnce({ node, label, count, families, first }: PodRun): Contestant {
  return {
    async run() {
      const spaces = node.pods(count);
      const attachments = attachmentsOf(first, count, families);
      const add = await timed(() =>
        Promise.all(attachments.map((pod, i) => node.network.setUp(pod, { netns: spaces[i] as string, signal: NEVER }))),
      );
      const del = await timed(() => Promise.all(attachments.map(({ key }) => node.network.tearDown(key, { signal: NEVER }))));
      return new Map([
        [`${label} ADD`, [add]],
        [`${label} DEL`, [del]],
      ]);
    },
  };
}

/** The kernel alone, as {@link oneByOne} or, with `removal: "group"`, as {@link allAtOnce}. */
export function kernelAlone(replay: Replay, run: PodRun, removal: "each" | "group"): Contestant {
  const { node, label, count, families, first } = run;
  return {
    async run() {
      const script = podScript(attachmentsOf(first, count, families), { config: node.config, removal });
      const times = await replay(script, { host: node.bareHost, pods: node.pods(count) });
      const phases = PHASES.map((name) => times.get(name) as number[]);
      const adds = Array.from({ length: count }, (_, i) => phases.reduce((sum, list) => sum + (list[i] as number), 0));
      const dels = times.get("delete") as number[];
      if (removal === "group") {
        return new Map([
          [`${label} ADD`, [adds.reduce((sum, ms) => sum + ms, 0)]],
          [`${label} DEL`, dels],
        ]);
      }
      const parts = PHASES.map((name, i) => [`${label} ADD, ${name}`, phases[i] as number[]] as const);
      return new Map<string, readonly number[]>([[`${label} ADD`, adds], [`${label} DEL`, dels], ...parts]);
    },
  };
}

/** `ip -batch`, one pod after the other: `LABEL ADD`, ms a pod. */
export function byIp(folder: string, { node, label, count, families, first }: PodRun, replay: Replay): Contestant {
  return {
    async run() {
      const spaces = node.pods(count);
      const attachments = attachmentsOf(first, count, families);
      const jobs = attachments.map((pod, i) => ({ plan: planPod(pod, node.config), netns: spaces[i] as string }));
      const ms = await setUpByIp(jobs, { host: node.bareHost, folder });
      await replay(removalScript(jobs.map(({ plan }) => plan.host.name)), { host: node.bareHost });
      return new Map([[`${label} ADD`, [ms]]]);
    },
  };
}

/** Pods of their numbers. */
export function attachmentsOf(first: number, count: number, families: Families): PodAttachment[] {
  return Array.from({ length: count }, (_, i) => attachmentOf(first + i, families));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
