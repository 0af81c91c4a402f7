import type { BenchContext, BenchGroup } from "../group.ts";
import { type Figure, figureOf } from "../measure/figure.ts";
import { interleave, type Rounds } from "../measure/rounds.ts";
import { createReplay, type Replay } from "../peers/replay.ts";
import { compileTool } from "../peers/tools.ts";
import { allAtOnce, byIp, type Families, kernelAlone, oneByOne } from "../pods/contestants.ts";
import { manyLinks } from "../pods/many-links.ts";
import { type BenchNode, createBenchNode } from "../pods/node.ts";
import { rateFigure } from "../pods/rate.ts";

/** ADD and DEL in the pod network layer, with the kernel's own cost beside it. */
export const addGroup: BenchGroup = { name: "add", title: "Pod networks: ADD and DEL in the layer below coild", run };

const ROUNDS = 8;
const FAMILIES: readonly Families[] = ["ipv4", "dual", "ipv6"];
const TITLES: Readonly<Record<Families, string>> = { ipv4: "IPv4", ipv6: "IPv6", dual: "dual" };
/** Pods in a round. */
const COUNT = 12;
const AT_ONCE = [1, 10, 50, 200] as const;
const BY_IP = 4;

async function run({ folder, log }: BenchContext): Promise<Figure[]> {
  const replay = createReplay(await compileTool("replay", folder), folder);
  const figures: Figure[] = [];
  {
    await using node = await createBenchNode();
    log("one after the other");
    figures.push(...sequentialFigures(await sequential(node, replay, folder)));
    log("many at once");
    figures.push(...crowdFigures(await crowds(node, replay)));
  }
  log("a node with a thousand pods");
  return [...figures, ...(await manyLinks(replay))];
}

function sequential(node: BenchNode, replay: Replay, folder: string): Promise<Rounds> {
  const contestants = FAMILIES.flatMap((families, i) => {
    const base = { node, families, count: COUNT };
    const title = TITLES[families];
    return [
      oneByOne({ ...base, label: title, first: 1 + 1000 * i }),
      kernelAlone(replay, { ...base, label: `C: ${title}`, first: 100 + 1000 * i }, "each"),
    ];
  });
  const ip = byIp(folder, { node, families: "dual", count: BY_IP, label: "ip -batch: dual", first: 5000 }, replay);
  return interleave([...contestants, ip], { rounds: ROUNDS });
}

function sequentialFigures(rounds: Rounds): Figure[] {
  const phases = ["namespace", "veth", "pod", "host"].flatMap((phase) => {
    const [ours, limit] = [`dual ADD, ${phase}`, `C: dual ADD, ${phase}`];
    return [figureOf(rounds, ours, { against: [limit] }), figureOf(rounds, limit, { of: "limit" })];
  });
  return [
    ...FAMILIES.flatMap((families) => {
      const [ours, limit] = [`${TITLES[families]} ADD`, `C: ${TITLES[families]} ADD`];
      const dual = families === "dual" ? { budget: { id: "dual-add", against: "IPv4 ADD" } as const } : {};
      return [figureOf(rounds, ours, { against: [limit], ...dual }), figureOf(rounds, limit, { of: "limit" })];
    }),
    figureOf(rounds, "ip -batch: dual ADD", { of: "peer", against: ["dual ADD"] }),
    ...phases,
    figureOf(rounds, "dual DEL", { against: ["C: dual DEL"] }),
    figureOf(rounds, "C: dual DEL", { of: "limit" }),
  ];
}

function crowds(node: BenchNode, replay: Replay): Promise<Rounds> {
  const contestants = AT_ONCE.flatMap((count, i) => {
    const base = { node, count, families: "dual" as const };
    return [
      allAtOnce({ ...base, label: `${count} at once:`, first: 10_000 + 1000 * i }),
      kernelAlone(replay, { ...base, label: `C: ${count} in a row:`, first: 20_000 + 1000 * i }, "group"),
    ];
  });
  return interleave(contestants, { rounds: ROUNDS });
}

function crowdFigures(rounds: Rounds): Figure[] {
  return AT_ONCE.flatMap((count) => {
    const [ours, limit] = [`${count} at once:`, `C: ${count} in a row:`];
    const dels = count === 50 ? { budget: { id: "dels-at-once" } as const } : {};
    const rate = count === 50 ? { budget: "adds-at-once" as const } : {};
    return [
      rateFigure(rounds, `${ours} ADD`, count, { against: `${limit} ADD`, ...rate }),
      rateFigure(rounds, `${limit} ADD`, count, { of: "limit" }),
      figureOf(rounds, `${ours} DEL`, { against: [`${limit} DEL`], ...dels }),
      figureOf(rounds, `${limit} DEL`, { of: "limit" }),
    ];
  });
}
