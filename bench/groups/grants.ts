import { setTimeout as sleep } from "node:timers/promises";
import type { AddressPool } from "../../src/crd/address-pool.ts";
import type { BlockRequest } from "../../src/crd/block-request.ts";
import { addressBlocks, blockRequests } from "../../src/crd/resources.ts";
import { blockAt, layoutOf } from "../../src/ipam/layout.ts";
import type { KubeClient } from "../../src/kube/client.ts";
import { grantedStatus } from "../../src/reconcile/block-request-status.ts";
import { newAddressBlock } from "../../src/reconcile/new-address-block.ts";
import { eventually } from "../../test/support/eventually.ts";
import { type IpamCluster, startIpamCluster } from "../../test/support/ipam-cluster.ts";
import { BUDGETS } from "../budgets.ts";
import type { BenchContext, BenchGroup } from "../group.ts";
import { type Figure, plainFigure } from "../measure/figure.ts";
import { roundsOf } from "../measure/rounds.ts";
import { rateFigure } from "../pods/rate.ts";
import { accountKubeconfig } from "../programs/account.ts";
import { bundle } from "../programs/bundle.ts";
import { sumOfSeries } from "../programs/metrics-text.ts";
import { type BenchProgram, startProgram } from "../programs/process.ts";

/** How fast one controller answers requests that wait. */
export const grantsGroup: BenchGroup = { name: "grants", title: "Block grants by one controller, with a real API server", run };

const ROUNDS = 5;
const REQUESTS = 500;
const NODES = 20;
/** As many as the controller has workers by default. */
const LANES = 32;
/** This share of what a client without thoughts gets is the server's limit: the controller works on the same CPUs. */
const LIMIT_SHARE = 0.8;
const POLL_MS = 25;
/** The controller has caught up when it needs no more than this in that time. */
const QUIET = { windowMs: 300, cpuMs: 10 };
const NEVER = new AbortController().signal;

const CREATES = "plain creates of BlockRequests";
const GRANTS = "grants";
const SAME_WRITES = "the same two writes by a client without thoughts";

async function run({ folder, log }: BenchContext): Promise<Figure[]> {
  log("starting an API server and the controller");
  const file = await bundle("bin/coil-ipam-controller.ts", folder);
  await using cluster = await startIpamCluster();
  for (let i = 0; i < NODES; i++) await cluster.addNode(`node-${i}`);
  await cluster.addPool("bench", { blockSizeBits: 0, subnets: [{ ipv4: "10.0.0.0/16" }] });
  const plain = await cluster.addPool("plain", { blockSizeBits: 0, subnets: [{ ipv4: "10.1.0.0/16" }] });
  const kubeconfig = await accountKubeconfig(cluster.api, "coil-ipam-controller", folder);
  await using controller = await startProgram({
    ...{ file, name: "coil-ipam-controller", folder, env: { KUBECONFIG: kubeconfig } },
  });
  await eventually(
    "the controller leads",
    30_000,
    async () => sumOfSeries(await controller.metrics(), LEADING, () => true) === 1,
  );
  const samples = new Map<string, number[][]>([CREATES, GRANTS, SAME_WRITES].map((name) => [name, []]));
  let cpuMs = 0;
  for (let round = 0; round <= ROUNDS; round++) {
    const limit = await writeAsClient(cluster, controller, plain, round);
    const granted = await grantRound(cluster, controller, round);
    if (round === 0) continue;
    samples.get(CREATES)?.push([limit.createsMs, granted.createsMs]);
    samples.get(SAME_WRITES)?.push([limit.writesMs]);
    samples.get(GRANTS)?.push([granted.grantsMs]);
    cpuMs += granted.cpuMs;
  }
  return figures(roundsOf(samples), { cpuMs, most: controller.memory().most });
}

/** What the controller writes for each request, written by this process while the controller stands still. */
async function writeAsClient(
  { client }: IpamCluster,
  controller: BenchProgram,
  pool: AddressPool,
  round: number,
): Promise<{ createsMs: number; writesMs: number }> {
  controller.server.signal("SIGSTOP");
  const { requests, ms } = await createRequests(client, "plain", round);
  const layout = layoutOf(pool.spec);
  const { name, uid = "" } = pool.metadata;
  const started = performance.now();
  await inLanes(async (i) => {
    const request = requests[i] as BlockRequest;
    const index = round * REQUESTS + i;
    const fields = { pool: { name, uid }, index, node: request.spec.nodeName, request: request.metadata.uid ?? "" };
    const block = await client.create(addressBlocks, newAddressBlock({ ...fields, ...blockAt(layout, index) }), {
      signal: NEVER,
    });
    const status = grantedStatus(block.metadata.name, Date.now());
    await client.updateStatus(blockRequests, { ...request, status }, { signal: NEVER });
  });
  const writesMs = performance.now() - started;
  controller.server.signal("SIGCONT");
  await eventually("the controller has caught up", 30_000, async () => {
    const before = controller.cpuMs();
    await sleep(QUIET.windowMs);
    return controller.cpuMs() - before <= QUIET.cpuMs;
  });
  return { createsMs: ms, writesMs };
}

/** The controller stands still while the requests are created, and then answers them all. */
async function grantRound(
  { client }: IpamCluster,
  controller: BenchProgram,
  round: number,
): Promise<{ createsMs: number; grantsMs: number; cpuMs: number }> {
  const before = sumOfSeries(await controller.metrics(), ANSWERED, granted);
  controller.server.signal("SIGSTOP");
  const { ms } = await createRequests(client, "bench", round);
  const cpu = controller.cpuMs();
  const resumed = performance.now();
  controller.server.signal("SIGCONT");
  while (sumOfSeries(await controller.metrics(), ANSWERED, granted) < before + REQUESTS) {
    if (performance.now() - resumed > 60_000) throw new Error("The controller did not answer all requests within a minute");
    await sleep(POLL_MS);
  }
  return { createsMs: ms, grantsMs: performance.now() - resumed, cpuMs: controller.cpuMs() - cpu };
}

async function createRequests(
  client: KubeClient,
  pool: string,
  round: number,
): Promise<{ requests: BlockRequest[]; ms: number }> {
  const requests: BlockRequest[] = [];
  const started = performance.now();
  await inLanes(async (i) => {
    const spec = { nodeName: `node-${i % NODES}`, poolName: pool };
    requests[i] = await client.create(blockRequests, { metadata: { name: `${pool}-${round}-${i}` }, spec }, { signal: NEVER });
  });
  return { requests, ms: performance.now() - started };
}

async function inLanes(work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: LANES }, async () => {
      for (let i = next++; i < REQUESTS; i = next++) await work(i);
    }),
  );
}

const ANSWERED = "coil_controller_block_requests_total";
const LEADING = "coil_controller_leader";

function granted(labels: Readonly<Record<string, string>>): boolean {
  return labels["result"] === "granted";
}

function figures(rounds: ReturnType<typeof roundsOf>, { cpuMs, most }: { cpuMs: number; most: number }): Figure[] {
  const grants = rateFigure(rounds, GRANTS, REQUESTS, { unit: "/s", against: SAME_WRITES });
  const plainly = rounds.ratio(CREATES, GRANTS);
  const { atLeast, text } = BUDGETS.grants;
  const met = grants.value >= atLeast || rounds.ratio(SAME_WRITES, GRANTS).value >= LIMIT_SHARE;
  return [
    {
      ...grants,
      comparisons: [
        ...(grants.comparisons ?? []),
        { against: `${CREATES}, at two writes a grant`, ratio: plainly.value * 2, spread: plainly.spread },
      ],
      verdicts: [{ budget: "grants", text, value: grants.value, met }],
    },
    rateFigure(rounds, SAME_WRITES, REQUESTS, { unit: "/s", of: "limit" }),
    rateFigure(rounds, CREATES, REQUESTS, { unit: "/s", of: "limit" }),
    plainFigure("the controller's CPU time of a grant", cpuMs / (ROUNDS * REQUESTS), { unit: "ms" }),
    plainFigure("the controller: most ever resident", most, { unit: "MB" }),
  ];
}
