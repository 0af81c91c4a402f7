import { setTimeout as sleep } from "node:timers/promises";
import { judge } from "../budgets.ts";
import { apiCalls } from "../coild/api-calls.ts";
import { callCoild, sandboxOf } from "../coild/calls.ts";
import { ADD_PHASES, crowd, executable, overSocket, ptp } from "../coild/contestants.ts";
import { type BenchPod, type CoildNode, startCoildNode } from "../coild/node.ts";
import type { BenchContext, BenchGroup } from "../group.ts";
import { type Figure, figureOf, plainFigure } from "../measure/figure.ts";
import { interleave, type Rounds } from "../measure/rounds.ts";
import { median, quantile } from "../measure/statistics.ts";
import { createLauncher } from "../peers/launcher.ts";
import { createReplay } from "../peers/replay.ts";
import { compileTool } from "../peers/tools.ts";
import { kernelAlone } from "../pods/contestants.ts";
import { createBenchNode } from "../pods/node.ts";
import { rateFigure } from "../pods/rate.ts";

/** coild with everything around it: the real API server, the controller, the executable plugin. */
export const coildGroup: BenchGroup = { name: "coild", title: "coild as a whole, with a real API server", run };

const REST_MS = 60_000;
const SETTLE_MS = 4000;
const ROUNDS = 8;
const COUNT = 12;
const CROWD = 50;
const NEW_BLOCKS = 24;
const LOAD_MS = 8000;
const LOAD_LANES = 10;

async function run({ folder, log }: BenchContext): Promise<Figure[]> {
  log("starting an API server and the programs");
  await using node = await startCoildNode(folder);
  const pods = await node.addPods("default", CROWD);
  await node.addPool("four", { blockSizeBits: 10, subnets: [{ ipv4: "10.101.0.0/16" }] });
  const four = await node.addPods("four", COUNT);
  const fresh: BenchPod[] = [];
  for (let i = 0; i < NEW_BLOCKS; i++) {
    await node.addPool(`new-${i}`, { blockSizeBits: 5, subnets: [{ ipv4: `10.102.${i}.0/24`, ipv6: `fd00:102:${i}::/120` }] });
    fresh.push(...(await node.addPods(`new-${i}`, 1)));
  }
  log(`at rest for ${REST_MS / 1000} s`);
  const rest = await atRest(node);
  log("warm blocks");
  const warm = await warmFigures(node, { pods, four, folder });
  log("new blocks");
  const cold = await newBlockFigures(node, fresh);
  log("under load");
  return [...warm, ...cold, ...rest, ...(await underLoad(node, pods))];
}

async function warmFigures(
  node: CoildNode,
  { pods, four, folder }: { pods: readonly BenchPod[]; four: readonly BenchPod[]; folder: string },
): Promise<Figure[]> {
  await using bare = await createBenchNode();
  const launch = createLauncher(await compileTool("launch", folder), folder);
  const replay = createReplay(await compileTool("replay", folder), folder);
  const some = pods.slice(0, COUNT);
  const kernel = { node: bare, families: "dual", first: 1 } as const;
  const quiet = [
    overSocket(node, "dual ADD over the socket", some),
    overSocket(node, "IPv4 ADD over the socket", four),
    kernelAlone(replay, { ...kernel, label: "C: dual", count: COUNT }, "each"),
  ];
  // The first calls order blocks.
  for (const contestant of quiet) await contestant.run(-1);
  await sleep(SETTLE_MS);
  const before = await apiCalls(node.cluster.api);
  const rounds = await interleave(quiet, { rounds: ROUNDS, warmUp: 2 });
  const calls = ((await apiCalls(node.cluster.api)) - before) / (2 * (ROUNDS + 2) * COUNT);
  const plugins = await interleave(
    [
      await executable(node, "coil, coild, kernel: dual", some, launch),
      ptp("ptp, host-local, kernel: IPv4", some, launch, { folder, host: bare.bareHost }),
    ],
    { rounds: ROUNDS },
  );
  const crowds = await interleave(
    [
      crowd(node, `${CROWD} at once:`, pods),
      kernelAlone(replay, { ...kernel, label: `C: ${CROWD} in a row:`, count: CROWD }, "group"),
    ],
    { rounds: ROUNDS, warmUp: 2 },
  );
  return [...warmTable(rounds, calls), ...pluginTable(plugins), ...crowdTable(crowds)];
}

function warmTable(rounds: Rounds, calls: number): Figure[] {
  const name = "dual ADD over the socket";
  return [
    figureOf(rounds, name, { budget: { id: "dual-add", against: "IPv4 ADD over the socket" } }),
    figureOf(rounds, "IPv4 ADD over the socket"),
    ...ADD_PHASES.map((phase) => {
      const budget = phase === "total" ? { budget: { id: "warm-add", against: "C: dual ADD" } as const } : {};
      return figureOf(rounds, `${name}, in coild: ${phase}`, budget);
    }),
    figureOf(rounds, "C: dual ADD", { of: "limit" }),
    plainFigure("API calls of an ADD in a warm block", calls, { unit: "calls", verdicts: [judge("warm-add-calls", calls)] }),
  ];
}

function pluginTable(rounds: Rounds): Figure[] {
  return ["ADD", "DEL"].flatMap((command) => {
    const [ours, theirs] = [`coil, coild, kernel: dual ${command}`, `ptp, host-local, kernel: IPv4 ${command}`];
    return [figureOf(rounds, ours, { against: [theirs] }), figureOf(rounds, theirs, { of: "peer" })];
  });
}

function crowdTable(rounds: Rounds): Figure[] {
  const [ours, limit] = [`${CROWD} at once:`, `C: ${CROWD} in a row:`];
  return [
    rateFigure(rounds, `${ours} ADD`, CROWD, { against: `${limit} ADD`, budget: "adds-at-once" }),
    rateFigure(rounds, `${limit} ADD`, CROWD, { of: "limit" }),
    figureOf(rounds, `${ours} DEL`, { against: [`${limit} DEL`], budget: { id: "dels-at-once" } }),
    figureOf(rounds, `${limit} DEL`, { of: "limit" }),
  ];
}

/** Each pod is the first of its pool on this node: an order, a grant, and the way back. */
async function newBlockFigures(node: CoildNode, pods: readonly BenchPod[]): Promise<Figure[]> {
  const before = await apiCalls(node.cluster.api);
  const sandboxes = pods.map(sandboxOf);
  const times: number[] = [];
  for (const sandbox of sandboxes) times.push(await callCoild(node.socket, "add", sandbox));
  // Requests that were answered are deleted behind the ADD.
  await sleep(1000);
  const calls = ((await apiCalls(node.cluster.api)) - before) / pods.length;
  await Promise.all(sandboxes.map((sandbox) => callCoild(node.socket, "del", sandbox)));
  const p99 = quantile(times, 0.99);
  return [
    plainFigure("dual ADD with a new block", median(times), { unit: "ms", p99, samples: times.length }),
    plainFigure("API calls of an ADD with a new block, all programs", calls, { unit: "calls" }),
  ];
}

async function atRest(node: CoildNode): Promise<Figure[]> {
  await sleep(SETTLE_MS);
  const programs = programsOf(node);
  const before = programs.map(({ program }) => program.cpuMs());
  await sleep(REST_MS);
  return programs.flatMap(({ name, program }, i) => {
    const share = ((program.cpuMs() - (before[i] as number)) / REST_MS) * 100;
    const { resident, anonymous } = program.memory();
    return [
      plainFigure(`${name} at rest: resident`, resident, { unit: "MB", verdicts: [judge("rest-memory", resident)] }),
      plainFigure(`${name} at rest: of that its own`, anonymous, { unit: "MB" }),
      plainFigure(`${name} at rest: CPU`, share, { unit: "%", verdicts: [judge("rest-cpu", share)] }),
    ];
  });
}

/** Pods come and go in ten lanes. */
async function underLoad(node: CoildNode, pods: readonly BenchPod[]): Promise<Figure[]> {
  const programs = programsOf(node);
  const before = programs.map(({ program }) => program.cpuMs());
  const started = performance.now();
  let cycles = 0;
  const lane = async (pod: BenchPod): Promise<void> => {
    while (performance.now() - started < LOAD_MS) {
      const sandbox = sandboxOf(pod);
      await callCoild(node.socket, "add", sandbox);
      await callCoild(node.socket, "del", sandbox);
      cycles++;
    }
  };
  await Promise.all(pods.slice(0, LOAD_LANES).map(lane));
  const elapsed = performance.now() - started;
  const coildMs = node.coild.cpuMs() - (before[0] as number);
  return [
    plainFigure(`ADD and DEL in ${LOAD_LANES} lanes`, (cycles * 1000) / elapsed, { unit: "pods/s", samples: cycles }),
    plainFigure("coild's CPU time of an ADD and a DEL", coildMs / cycles, { unit: "ms" }),
    ...programs.map(({ name, program }) =>
      plainFigure(`${name} after load: most ever resident`, program.memory().most, { unit: "MB" }),
    ),
  ];
}

function programsOf({ coild, controller, router }: CoildNode) {
  return [
    { name: "coild", program: coild },
    { name: "coil-ipam-controller", program: controller },
    { name: "coil-router", program: router },
  ] as const;
}
