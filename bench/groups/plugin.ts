import { existsSync } from "node:fs";
import { join } from "node:path";
import { buildPlugin } from "../../plugin/build.ts";
import { nodeForm } from "../../test/support/run-coil.ts";
import { standInCoild } from "../../test/support/stand-in-coild.ts";
import type { BenchContext, BenchGroup } from "../group.ts";
import { type Figure, figureOf, plainFigure } from "../measure/figure.ts";
import { type Contestant, interleave } from "../measure/rounds.ts";
import { median } from "../measure/statistics.ts";
import { grpcStandIn } from "../peers/grpc-stand-in.ts";
import { createLauncher, type LaunchedRun } from "../peers/launcher.ts";
import { compileTool } from "../peers/tools.ts";

/** Start to answer of one call of the executable plugin, against a server that answers at once. */
export const pluginGroup: BenchGroup = { name: "plugin", title: "The plugin, from start to answer", run };

const ROUNDS = 12;
const RUNS = 40;
/** Node takes long to start. */
const NODE_RUNS = 3;
const GO_PLUGINS = "/usr/lib/cni";

const ANSWER = {
  cniVersion: "1.1.0",
  interfaces: [{ name: "eth0", mac: "02:00:00:00:00:01", mtu: 1500, sandbox: "/run/netns/x" }],
  ips: [{ address: "10.64.0.1/32", gateway: "169.254.1.1", interface: 0 }],
  routes: [{ dst: "0.0.0.0/0", gw: "169.254.1.1" }],
};
const CALL = {
  CNI_CONTAINERID: "c1",
  CNI_NETNS: "/run/netns/x",
  CNI_IFNAME: "eth0",
  CNI_PATH: GO_PLUGINS,
  CNI_ARGS: "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0;K8S_POD_UID=6a1b6f9e-7a3f-4a55-9a51-1f2f8b1c0d3e",
};
const VERSION = { CNI_COMMAND: "VERSION" };

const NAMES = {
  process: "/bin/true, a process that does nothing",
  version: "coil VERSION",
  add: "coil ADD",
  del: "coil DEL",
  node: "coil ADD, in Node",
  ptp: "ptp VERSION (Go)",
  hostLocal: "host-local ADD (Go)",
  foreignVersion: "coil VERSION of COIL_BENCH_PEERS",
  foreignAdd: "coil ADD of COIL_BENCH_PEERS",
};

async function run({ folder, peers, log }: BenchContext): Promise<Figure[]> {
  const launch = createLauncher(await compileTool("launch", folder), folder);
  const binary = await buildPlugin({ log });
  await using server = await standInCoild(({ path }) => (path === "/v1/add" ? { result: ANSWER } : {}));
  const config = JSON.stringify({ cniVersion: "1.0.0", name: "net", type: "coil", socket: server.socket });
  const memory = new Map<string, number[]>();
  const measured = new Set<string>();

  function contestant(
    name: string,
    command: readonly [string, ...string[]],
    environment: (n: number) => Readonly<Record<string, string>>,
    { input = config, runs = RUNS } = {},
  ): Contestant {
    let serial = 0;
    measured.add(name);
    return {
      async run() {
        const environments = Array.from({ length: runs }, () => environment(serial++));
        const taken: LaunchedRun[] = await launch({ command, environments, input });
        memory.set(name, [...(memory.get(name) ?? []), ...taken.map(({ megabytes }) => megabytes)]);
        return new Map([[name, taken.map(({ ms }) => ms)]]);
      },
    };
  }

  const ptp = join(GO_PLUGINS, "ptp");
  const hostLocal = join(GO_PLUGINS, "host-local");
  const foreign = peers ? join(peers, "coil") : "";
  const ranges = [[{ subnet: "10.66.0.0/16" }]];
  const hostLocalConfig = JSON.stringify({
    ...{ cniVersion: "1.0.0", name: "net", ipam: { type: "host-local", ranges, dataDir: join(folder, "host-local") } },
  });
  await using grpc = await grpcStandIn(folder, ANSWER);
  const foreignConfig = JSON.stringify({ cniVersion: "1.0.0", name: "net", type: "coil", socket: grpc.socket });
  const add = (n: number) => ({ ...CALL, CNI_COMMAND: "ADD", CNI_CONTAINERID: `c${n}` });
  const contestants = [
    contestant(NAMES.process, ["/bin/true"], () => ({})),
    contestant(NAMES.version, [binary], () => VERSION),
    contestant(NAMES.add, [binary], add),
    contestant(NAMES.del, [binary], () => ({ ...CALL, CNI_COMMAND: "DEL" })),
    contestant(NAMES.node, nodeForm.command, add, { runs: NODE_RUNS }),
    ...(existsSync(ptp) ? [contestant(NAMES.ptp, [ptp], () => VERSION)] : []),
    ...(existsSync(hostLocal) ? [contestant(NAMES.hostLocal, [hostLocal], add, { input: hostLocalConfig })] : []),
    ...(existsSync(foreign)
      ? [
          contestant(NAMES.foreignVersion, [foreign], () => VERSION),
          contestant(NAMES.foreignAdd, [foreign], add, { input: foreignConfig }),
        ]
      : []),
  ];
  const rounds = await interleave(contestants, { rounds: ROUNDS });
  const has = (name: string) => measured.has(name);
  // The budget compares like with like: a version is only printed, an ADD calls a daemon.
  const budget = (candidates: readonly string[]) => {
    const against = candidates.find(has);
    return against === undefined ? {} : { budget: { id: "plugin-start", against } as const };
  };
  const others = [NAMES.ptp, NAMES.hostLocal, NAMES.foreignVersion, NAMES.foreignAdd].filter(has);
  return [
    figureOf(rounds, NAMES.process, { of: "limit" }),
    figureOf(rounds, NAMES.version, { against: [NAMES.ptp].filter(has), ...budget([NAMES.foreignVersion]) }),
    figureOf(rounds, NAMES.add, { against: [NAMES.process], ...budget([NAMES.foreignAdd, NAMES.hostLocal]) }),
    figureOf(rounds, NAMES.del),
    figureOf(rounds, NAMES.node, { against: [NAMES.add] }),
    ...others.map((name) => figureOf(rounds, name, { of: "peer" })),
    ...[NAMES.add, ...others].map((name) => {
      const of = name === NAMES.add ? "coil" : "peer";
      return plainFigure(`memory of ${name}`, median(memory.get(name) ?? []), { unit: "MB", of });
    }),
  ];
}
