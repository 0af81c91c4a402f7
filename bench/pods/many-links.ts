import type { Figure } from "../measure/figure.ts";
import { figureOf, plainFigure } from "../measure/figure.ts";
import { type Rounds, roundsOf } from "../measure/rounds.ts";
import type { Replay } from "../peers/replay.ts";
import { podScript } from "./by-replay.ts";
import { attachmentsOf, kernelAlone, oneByOne } from "./contestants.ts";
import { type BenchNode, createBenchNode } from "./node.ts";

const LEVELS = [0, 250, 500, 1000] as const;
const STEP = 50;
/** Pods that come and go at each level, above those that stay. */
const PROBES = 12;
const ROUNDS = 4;
const NEVER = new AbortController().signal;

/** Whether an ADD or a DEL costs more on a node with a thousand pods. */
export async function manyLinks(replay: Replay): Promise<Figure[]> {
  await using node = await createBenchNode();
  const samples = new Map<string, (readonly number[])[]>();
  let there = 0;
  for (const level of LEVELS) {
    for (; there < level; there += STEP) await addPods(node, replay, there);
    const base = { node, count: PROBES, families: "dual" as const };
    const contestants = [
      oneByOne({ ...base, label: `${level} pods:`, first: 30_000 }),
      kernelAlone(replay, { ...base, label: `C: ${level} pods:`, first: 40_000 }, "each"),
    ];
    for (let round = -1; round < ROUNDS; round++) {
      for (const contestant of round % 2 === 0 ? contestants : contestants.toReversed()) {
        for (const [name, list] of await contestant.run(round)) {
          if (round >= 0) samples.set(name, [...(samples.get(name) ?? []), list]);
        }
      }
    }
  }
  return figures(roundsOf(samples));
}

/** Pods that stay, on the node and on the bare one. The first namespaces are the probes'. */
async function addPods(node: BenchNode, replay: Replay, there: number): Promise<void> {
  const from = PROBES + 2 * there;
  const spaces = node.pods(from + 2 * STEP).slice(from);
  const pods = attachmentsOf(1 + there, STEP, "dual");
  await Promise.all(pods.map((pod, i) => node.network.setUp(pod, { netns: spaces[i] as string, signal: NEVER })));
  const script = podScript(pods, { config: node.config, removal: "none", offset: PROBES + there });
  await replay(script, { host: node.bareHost, pods: spaces.slice(STEP) });
}

function figures(rounds: Rounds): Figure[] {
  const compared = LEVELS.flatMap((level) =>
    (level === 0 || level === LEVELS.at(-1) ? ["ADD", "DEL"] : ["ADD"]).flatMap((command) => {
      const [ours, limit] = [`${level} pods: ${command}`, `C: ${level} pods: ${command}`];
      return [figureOf(rounds, ours, { against: [limit] }), figureOf(rounds, limit, { of: "limit" })];
    }),
  );
  // A ratio to a kernel that gets slower would hide that we do, too.
  const own = LEVELS.map((level) => {
    const ms = rounds.series(`${level} pods: ADD`).median - rounds.series(`C: ${level} pods: ADD`).median;
    return plainFigure(`${level} pods: our own part of an ADD`, ms, { unit: "ms" });
  });
  return [...compared, ...own];
}
