import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { createRouteExporter } from "../../src/apply/exported-routes.ts";
import { createMainRoutes } from "../../src/apply/main-routes.ts";
import { type Address, formatAddress, parseAddress } from "../../src/ip/address.ts";
import { formatPrefix, type Prefix, parsePrefix } from "../../src/ip/prefix.ts";
import { addRoute, deleteRoute } from "../../src/linux/route/change-route.ts";
import { createSilentLogger } from "../../src/observe/logger.ts";
import { planRouterRoutes, type RouterBlock } from "../../src/podnet/router-routes.ts";
import { createPodHost, type PodHost } from "../../test/support/pod-host.ts";
import type { BenchContext, BenchGroup } from "../group.ts";
import { type Figure, figureOf } from "../measure/figure.ts";
import { type Contestant, interleave } from "../measure/rounds.ts";
import { createReplay, createScript, type Replay } from "../peers/replay.ts";
import { compileTool } from "../peers/tools.ts";

/** Routes to the blocks of a large cluster, as coil-router and coild keep them. */
export const routesGroup: BenchGroup = { name: "routes", title: "Route sync with 10,000 blocks", run };

const BLOCKS = 10_000;
const NODES = 200;
const CHANGED = 100;
const ROUNDS = 5;
const MAIN_TABLE = 254;
const ROUTER_PROTOCOL = 31;
const execute = promisify(execFile);

async function run({ folder, log }: BenchContext): Promise<Figure[]> {
  log("routing");
  const replay = createReplay(await compileTool("replay", folder), folder);
  await using ours = await createPodHost();
  await using bare = await createPodHost();
  const rounds = await interleave([router(ours), exporter(ours), kernelAlone(replay, bare), await byIp(bare, folder)], {
    rounds: ROUNDS,
  });
  const limit = "C: 10,000 routes added";
  return [
    figureOf(rounds, "router: plan of 10,000 routes"),
    figureOf(rounds, "router: 10,000 routes added", { against: [limit, "ip -batch: 10,000 routes added"] }),
    figureOf(rounds, limit, { of: "limit" }),
    figureOf(rounds, "ip -batch: 10,000 routes added", { of: "peer" }),
    figureOf(rounds, "router: compared, nothing to do"),
    figureOf(rounds, "router: 100 of 10,000 blocks changed"),
    figureOf(rounds, "router: 10,000 routes removed", { against: ["C: 10,000 routes removed"] }),
    figureOf(rounds, "C: 10,000 routes removed", { of: "limit" }),
    figureOf(rounds, "coild: 10,000 routes exported"),
    figureOf(rounds, "coild: compared, nothing to do"),
    figureOf(rounds, "coild: 10,000 routes withdrawn"),
  ];
}

function gatewayOf(node: number): Address {
  return parseAddress(`192.0.2.${11 + (node % 200)}`);
}

function destinationOf(block: number): Prefix {
  return parsePrefix(`10.${64 + (block >> 11)}.${(block >> 3) & 255}.${(block & 7) * 32}/27`);
}

/** Blocks from `first` on; `moved` of them are on another node than usual. */
function blocks(count: number, moved = 0): RouterBlock[] {
  return Array.from({ length: count }, (_, i) => ({
    ...{ name: `default-${i}`, node: `node-${(i + (i < moved ? 1 : 0)) % NODES}`, ipv4: destinationOf(i) },
  }));
}

const nodes = Array.from({ length: NODES }, (_, i) => ({ name: `node-${i}`, ipv4: gatewayOf(i) }));
const plan = (count: number, moved?: number) => planRouterRoutes("self", nodes, blocks(count, moved)).routes;

function router(host: PodHost): Contestant {
  return {
    async run() {
      await using routes = createMainRoutes(
        { protocol: ROUTER_PROTOCOL },
        { log: createSilentLogger(), namespace: host.host.ns },
      );
      const all = blocks(BLOCKS);
      const [wanted, moved] = [plan(BLOCKS), plan(BLOCKS, CHANGED)];
      const planned = await timed(async () => planRouterRoutes("self", nodes, all));
      const added = await timed(() => checked(routes.apply(wanted), { added: BLOCKS }));
      const compared = await timed(() => checked(routes.apply(wanted), {}));
      const changed = await timed(() => checked(routes.apply(moved), { replaced: CHANGED }));
      const removed = await timed(() => checked(routes.apply([]), { removed: BLOCKS }));
      return new Map([
        ["router: plan of 10,000 routes", [planned]],
        ["router: 10,000 routes added", [added]],
        ["router: compared, nothing to do", [compared]],
        ["router: 100 of 10,000 blocks changed", [changed]],
        ["router: 10,000 routes removed", [removed]],
      ]);
    },
  };
}

function exporter(host: PodHost): Contestant {
  const prefixes = Array.from({ length: BLOCKS }, (_, i) => destinationOf(i));
  return {
    async run() {
      const deps = { log: createSilentLogger(), namespace: host.host.ns };
      await using exports = createRouteExporter({ table: 119, protocol: 30 }, deps);
      const added = await timed(() => checked(exports.apply(prefixes), { added: BLOCKS }));
      const compared = await timed(() => checked(exports.apply(prefixes), {}));
      const removed = await timed(() => checked(exports.apply([]), { removed: BLOCKS }));
      return new Map([
        ["coild: 10,000 routes exported", [added]],
        ["coild: compared, nothing to do", [compared]],
        ["coild: 10,000 routes withdrawn", [removed]],
      ]);
    },
  };
}

/** The requests that the router sends, encoded beforehand. */
function kernelAlone(replay: Replay, host: PodHost): Contestant {
  const routes = plan(BLOCKS).map((route) => ({
    ...route,
    ...{ family: "ipv4" as const, table: MAIN_TABLE, protocol: ROUTER_PROTOCOL, scope: "universe" as const },
  }));
  const script = createScript();
  script.mark("");
  script.host(routes.map((route) => addRoute(route)));
  script.mark("C: 10,000 routes added");
  script.host(routes.map((route) => deleteRoute(route)));
  script.mark("C: 10,000 routes removed");
  return {
    async run() {
      const times = await replay(script, { host: host.host.path });
      times.delete("");
      return times;
    },
  };
}

async function byIp(host: PodHost, folder: string): Promise<Contestant> {
  const file = join(folder, "ip-routes");
  const lines = plan(BLOCKS).map(
    ({ destination, gateway }) =>
      `route add ${formatPrefix(destination)} via ${formatAddress(gateway)} protocol ${ROUTER_PROTOCOL}`,
  );
  await writeFile(file, `${lines.join("\n")}\n`);
  return {
    async run() {
      const ms = await timed(() => execute("nsenter", [`--net=${host.host.path}`, "ip", "-batch", file]));
      await host.host.ip(`route flush protocol ${ROUTER_PROTOCOL}`);
      return new Map([["ip -batch: 10,000 routes added", [ms]]]);
    },
  };
}

interface Changes {
  readonly added?: number;
  readonly replaced?: number;
  readonly removed?: number;
}

/** What is not done must not be counted as fast. */
async function checked(
  report: Promise<Required<Changes> & { readonly failed: readonly unknown[] }>,
  wanted: Changes,
): Promise<void> {
  const { added, replaced, removed, failed } = await report;
  const text = JSON.stringify({ added, replaced, removed, failed: failed.length });
  if (text !== JSON.stringify({ added: 0, replaced: 0, removed: 0, ...wanted, failed: 0 })) {
    throw new Error(`The sync did something else than ${JSON.stringify(wanted)}: ${text}`);
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
