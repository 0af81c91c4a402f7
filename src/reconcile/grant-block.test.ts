import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { AddressBlock } from "../crd/address-block.ts";
import type { AddressPool } from "../crd/address-pool.ts";
import { LABEL_REQUEST } from "../crd/names.ts";
import { layoutOf } from "../ipam/layout.ts";
import { ApiError, ConnectionError } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import { type BlockLedger, createBlockLedger } from "./block-ledger.ts";
import { type GrantDeps, grantBlock } from "./grant-block.ts";
import { poolStandings } from "./pool-standing.ts";
import { createLedgerRefresher } from "./refresh-ledger.ts";

const POOL: AddressPool = {
  metadata: { name: "default", uid: "pool" },
  spec: { blockSizeBits: 0, subnets: [{ ipv4: "10.2.0.0/26" }] },
};
const signal = new AbortController().signal;

/** What becomes of a creation: the reply comes, or is lost before or after the server acted. */
type Fate = "well" | "lost-before" | "lost-after";

/** Names exist once, as in the API server; when requests arrive and when replies and events do is the scheduler's choice. */
function createServer(scheduler: fc.Scheduler, fates: Iterator<Fate>) {
  const objects = new Map<string, AddressBlock>();
  const watchers = new Set<(block: AddressBlock) => void>();
  let uids = 0;
  const passes = (what: string) => scheduler.schedule(Promise.resolve(), what);
  const client = {
    async create(_resource: unknown, object: AddressBlock) {
      const { name } = object.metadata;
      const fate = fates.next().value;
      await passes(`create ${name}`);
      if (fate === "lost-before") throw new ConnectionError(`POST ${name}`, "ETIMEDOUT");
      if (objects.has(name)) throw new ApiError(`POST ${name}`, { code: 409, reason: "AlreadyExists" });
      const created = { ...object, metadata: { ...object.metadata, uid: `uid-${uids++}` } };
      objects.set(name, created);
      for (const watcher of watchers) void passes(`tell of ${name}`).then(() => watcher(created));
      await passes(`reply ${name}`);
      if (fate === "lost-after") throw new ConnectionError(`POST ${name}`, "ETIMEDOUT");
      return created;
    },
    async get(_resource: unknown, { name }: { name: string }) {
      await passes(`get ${name}`);
      return objects.get(name);
    },
    async list() {
      await passes("list");
      const items = [...objects.values()];
      await passes("listed");
      return { items, resourceVersion: "" };
    },
  } as unknown as Pick<KubeClient, "create" | "get" | "list">;
  return { client, objects, watch: (ledger: BlockLedger) => watchers.add((block) => void ledger.observe(block)) };
}

type Server = ReturnType<typeof createServer>;

/** A controller that has become the leader: it has read everything once. */
async function lead({ client, watch }: Server): Promise<GrantDeps> {
  const ledger = createBlockLedger({ now: () => 0 });
  ledger.setPool("default", layoutOf(POOL.spec));
  const standings = poolStandings([POOL]);
  const refresh = createLedgerRefresher({ client, ledger, now: () => performance.now() });
  watch(ledger);
  await refresh({ maxAgeMs: 0, signal });
  return { client, ledger, refresh, standing: (pool) => standings.get(pool) };
}

/** Answers a request as the work queue does: again and again until it is known what came of it. */
async function answer(deps: GrantDeps, request: string): Promise<string> {
  for (;;) {
    try {
      const result = await grantBlock(deps, { request, node: "node", pool: POOL }, { signal });
      return result.kind === "granted" ? result.block : result.reason;
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
    }
  }
}

function blocksByRequest({ objects }: Server): Map<string, string[]> {
  const blocks = [...objects.values()];
  const grouped = Map.groupBy(blocks, ({ metadata }) => metadata.labels?.[LABEL_REQUEST] ?? "");
  return new Map([...grouped].map(([request, own]) => [request, own.map(({ metadata }) => metadata.name)]));
}

const REQUESTS = Array.from({ length: 8 }, (_, n) => `request-${n}`);
const fates = fc.infiniteStream(fc.constantFrom<Fate>("well", "well", "lost-before", "lost-after"));

test("grantBlock() makes one block a request and wastes no index, whatever replies are lost and in whatever order all happens", async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fates, async (scheduler, stream) => {
      const server = createServer(scheduler, stream);
      const work = (async () => {
        const leader = await lead(server);
        return Promise.all(REQUESTS.map((request) => answer(leader, request)));
      })();
      const names = await scheduler.waitFor(work);
      assert.deepStrictEqual(blocksByRequest(server), new Map(REQUESTS.map((request, n) => [request, [names[n] as string]])));
      assert.deepStrictEqual(new Set(names), new Set(REQUESTS.map((_, n) => `default-${n}`)));
    }),
    { numRuns: 60 },
  );
});

test("grantBlock() gives no block to two requests while one leader follows another that has not quite stopped", async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fates, fc.nat(REQUESTS.length), async (scheduler, stream, known) => {
      const server = createServer(scheduler, stream);
      const work = (async () => {
        const first = await lead(server);
        const old = Promise.all(REQUESTS.slice(0, known).map((request) => answer(first, request)));
        const second = await lead(server);
        const names = await Promise.all(REQUESTS.map((request) => answer(second, request)));
        await old;
        return names;
      })();
      const names = await scheduler.waitFor(work);
      assert.equal(new Set(names).size, REQUESTS.length);
      const blocks = blocksByRequest(server);
      for (const [n, request] of REQUESTS.entries()) assert.ok(blocks.get(request)?.includes(names[n] as string));
    }),
    { numRuns: 60 },
  );
});
