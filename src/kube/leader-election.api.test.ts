import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startApiServer } from "../../test/support/api-server.ts";
import { startTcpProxy, type TcpProxy } from "../../test/support/tcp-proxy.ts";
import { createKubeClient } from "./client.ts";
import type { KubeConfig } from "./config.ts";
import { createLeaderElector, type LeaderElectorOptions } from "./leader-election.ts";
import { silentLog } from "./log.ts";
import { type Lease, leases } from "./resources.ts";

const server = await startApiServer();
after(() => server[Symbol.asyncDispose]());
const { client } = server;
const { signal } = new AbortController();
const namespace = "kube-system";
const timing = { leaseDurationMs: 3000, renewDeadlineMs: 1500, retryMs: 300 };

/** An elector whose work is to wait until it is aborted. */
function stand(
  name: string,
  identity: string,
  options: Partial<LeaderElectorOptions> & { config?: KubeConfig; linger?: number } = {},
) {
  const { config = server.config, linger = 0, ...more } = options;
  const own = createKubeClient(config, { log: silentLog, userAgent: "test/0" });
  const elector = createLeaderElector({ client: own, namespace, name, identity, log: silentLog, ...timing, ...more });
  const stopping = new AbortController();
  const times: { led?: number; aborted?: number; ended?: number } = {};
  const leads = Promise.withResolvers<void>();
  const outcome = elector.run(stopping.signal, async (term) => {
    times.led = performance.now();
    leads.resolve();
    await sleep(1_000_000, undefined, { signal: term }).catch(() => undefined);
    times.aborted = performance.now();
    await sleep(linger);
    times.ended = performance.now();
  });
  return {
    elector,
    times,
    leads: leads.promise,
    outcome,
    stop: () => stopping.abort(new Error("stop")),
    async [Symbol.asyncDispose]() {
      stopping.abort(new Error("stop"));
      await outcome.catch(() => undefined);
      own[Symbol.dispose]();
    },
  };
}

const spec = async (name: string) => (await client.get(leases, { name, namespace }, { signal }))?.spec;
const elapsed = (from: number | undefined, to: number | undefined) => Math.round((to ?? Number.NaN) - (from ?? Number.NaN));
const between = (value: number, low: number, high: number) =>
  assert.ok(value >= low && value <= high, `${value} is not between ${low} and ${high} ms`);

async function proxied(): Promise<{ proxy: TcpProxy; config: KubeConfig }> {
  const proxy = await startTcpProxy(Number(new URL(server.url).port));
  return { proxy, config: { ...server.config, server: `https://127.0.0.1:${proxy.port}` } };
}

test("one leads, the other waits; what is given back on exit is taken in well under two seconds", async (t) => {
  await using one = stand("hand-over", "one", { linger: 200 });
  await one.leads;
  await using two = stand("hand-over", "two");
  await sleep(1000);
  assert.deepEqual([one.elector.isLeader, two.elector.isLeader, two.times.led], [true, false, undefined]);
  const { acquireTime, renewTime, ...rest } = (await spec("hand-over")) ?? {};
  assert.deepEqual(rest, { holderIdentity: "one", leaseDurationSeconds: 3, leaseTransitions: 0 });
  assert.ok(renewTime && acquireTime && renewTime > acquireTime);
  one.stop();
  assert.equal(await one.outcome, "released");
  assert.equal(one.elector.isLeader, false);
  await two.leads;
  between(elapsed(one.times.ended, two.times.led), 0, 1000);
  t.diagnostic(`from the end of the work to the next leader: ${elapsed(one.times.ended, two.times.led)} ms`);
  assert.deepEqual([(await spec("hand-over"))?.holderIdentity, (await spec("hand-over"))?.leaseTransitions], ["two", 1]);
  two.stop();
  await two.outcome;
  assert.equal((await spec("hand-over"))?.holderIdentity, "");
});

test("a lease of one who died is taken after its duration, whatever the times in it say", async () => {
  const times = { old: "2000-01-01T00:00:00.000000Z", future: "2100-01-01T00:00:00.000000Z" };
  await Promise.all(
    Object.entries(times).map(async ([name, renewTime]) => {
      const lease: Lease = {
        metadata: { name, namespace },
        spec: { holderIdentity: "dead", leaseDurationSeconds: 2, renewTime, acquireTime: renewTime },
      };
      await client.create(leases, lease, { signal });
      const started = performance.now();
      await using heir = stand(name, "heir");
      await heir.leads;
      between(elapsed(started, heir.times.led), 2000, 2600);
    }),
  );
});

test("a leader cut off from the server stops before another can have the lease", async (t) => {
  const { proxy, config } = await proxied();
  await using _ = proxy;
  await using lost = stand("cut-off", "lost", { config });
  await lost.leads;
  await using heir = stand("cut-off", "heir");
  await sleep(700);
  const cutAt = performance.now();
  proxy.hold();
  await sleep(timing.renewDeadlineMs + 100);
  assert.equal(lost.elector.isLeader, false);
  assert.equal(await lost.outcome, "lost");
  between(elapsed(cutAt, lost.times.aborted), timing.renewDeadlineMs - timing.retryMs - 100, timing.renewDeadlineMs + 100);
  await heir.leads;
  const gap = elapsed(lost.times.aborted, heir.times.led);
  between(gap, 1000, 3500);
  t.diagnostic(`aborted ${elapsed(cutAt, lost.times.aborted)} ms after the cut, the next led ${gap} ms later`);
});

test("work that does not end when the lease is lost is not waited for longer than the lease lasts", async () => {
  const { proxy, config } = await proxied();
  await using _ = proxy;
  await using stubborn = stand("stubborn", "one", { config, linger: 5000 });
  await stubborn.leads;
  proxy.hold();
  assert.equal(await stubborn.outcome, "lost");
  assert.equal(stubborn.times.ended, undefined);
  between(elapsed(stubborn.times.aborted, performance.now()), 1400, 1900);
});

test("a server that stands still for less than the deadline costs nothing, for longer the lease", async () => {
  await using leader = stand("frozen", "one");
  await leader.leads;
  server.freeze();
  await sleep(900);
  server.thaw();
  await sleep(500);
  assert.deepEqual([leader.elector.isLeader, leader.times.aborted], [true, undefined]);
  server.freeze();
  await sleep(1700);
  server.thaw();
  assert.equal(await leader.outcome, "lost");
  await using next = stand("frozen", "two");
  await next.leads;
  assert.equal((await spec("frozen"))?.holderIdentity, "two");
});

test("a lease that was deleted is made again; one that another wrote its name into is lost", async () => {
  await using leader = stand("meddled", "one");
  await leader.leads;
  await client.delete(leases, { name: "meddled", namespace }, { signal });
  await sleep(700);
  assert.deepEqual([leader.elector.isLeader, (await spec("meddled"))?.holderIdentity], [true, "one"]);
  const body = { spec: { holderIdentity: "thief" } };
  await client.patch(leases, { name: "meddled", namespace }, { type: "merge", body }, { signal });
  const at = performance.now();
  assert.equal(await leader.outcome, "lost");
  between(elapsed(at, leader.times.aborted), 0, 600);
  assert.equal((await spec("meddled"))?.holderIdentity, "thief");
  await client.patch(
    leases,
    { name: "meddled", namespace },
    { type: "merge", body: { metadata: { labels: { a: "b" } }, spec: { holderIdentity: "" } } },
    { signal },
  );
});

test("somebody else's change of the lease object does not end a term", async () => {
  await using leader = stand("labelled", "one");
  await leader.leads;
  for (let round = 0; round < 5; round++) {
    const body = { metadata: { labels: { round: String(round) } } };
    await client.patch(leases, { name: "labelled", namespace }, { type: "merge", body }, { signal });
    await sleep(150);
  }
  assert.equal(leader.elector.isLeader, true);
  leader.stop();
  assert.equal(await leader.outcome, "released");
  assert.equal((await spec("labelled"))?.holderIdentity, "");
});

/** Lets the user of this name do these things to leases, and no more. */
async function allow(user: string, rules: { verbs: string[]; resourceNames?: string[] }[]): Promise<KubeConfig> {
  const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  const role = {
    metadata: { name: user },
    rules: rules.map((rule) => ({ apiGroups: ["coordination.k8s.io"], resources: ["leases"], ...rule })),
  };
  const binding = {
    metadata: { name: user },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: user },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: user }],
  };
  assert.equal((await client.raw({ method: "POST", path: `${path}/roles`, body: role }, { signal })).status, 201);
  assert.equal((await client.raw({ method: "POST", path: `${path}/rolebindings`, body: binding }, { signal })).status, 201);
  return server.configFor(user);
}

test("a candidate who may not watch asks again and again", async () => {
  const config = await allow("poller", [{ verbs: ["get", "create", "update"] }]);
  await using one = stand("polled", "one");
  await one.leads;
  await using poller = stand("polled", "poller", { config });
  await sleep(500);
  one.stop();
  await one.outcome;
  await poller.leads;
  between(elapsed(one.times.ended, poller.times.led), 0, 1000);
});

test("a candidate who may watch this one lease only is told of its release", async () => {
  const config = await allow("narrow", [{ verbs: ["create"] }, { verbs: ["get", "update", "watch"], resourceNames: ["narrow"] }]);
  await using one = stand("narrow", "one");
  await one.leads;
  await using two = stand("narrow", "two", { config, leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 5000 });
  await sleep(700);
  one.stop();
  await one.outcome;
  await two.leads;
  between(elapsed(one.times.ended, two.times.led), 0, 1000);
});

test("a candidate that is stopped ends at once; one that may just have got the lease gives it back", async () => {
  await using leader = stand("crowded", "one");
  await leader.leads;
  const waiting = stand("crowded", "two");
  await sleep(300);
  const at = performance.now();
  waiting.stop();
  assert.equal(await waiting.outcome, "released");
  assert.ok(performance.now() - at < 100);
  assert.equal((await spec("crowded"))?.holderIdentity, "one");
  for (const wait of [0, 1, 2, 4, 6, 8, 10, 15, 20, 30]) {
    const hasty = stand(`hasty-${wait}`, "hasty");
    await sleep(wait);
    hasty.stop();
    assert.equal(await hasty.outcome, "released");
    assert.ok(!(await spec(`hasty-${wait}`))?.holderIdentity, `after ${wait} ms`);
  }
});

test("a lease whose holder is away is waited for while the server is away too", async () => {
  await server.kill();
  await using early = stand("early", "one");
  await sleep(500);
  await server.start();
  await early.leads;
  await server.kill();
  early.stop();
  const at = performance.now();
  assert.equal(await early.outcome, "released");
  assert.ok(performance.now() - at < 500, "a refused connection is not waited for");
  await server.start();
});

test("an error of the leader's work gives the lease back and is passed on; so does a return", async () => {
  const options = { client, namespace, name: "works", identity: "one", log: silentLog, ...timing };
  const broken = createLeaderElector(options).run(signal, async () => {
    throw new Error("broken");
  });
  await assert.rejects(broken, /broken/);
  assert.equal((await spec("works"))?.holderIdentity, "");
  assert.equal(await createLeaderElector(options).run(signal, async () => undefined), "released");
  assert.equal((await spec("works"))?.holderIdentity, "");
  assert.throws(() => createLeaderElector({ ...options, renewDeadlineMs: 3000 }), RangeError);
});

test("never do two lead at the same time, whatever happens to their wires", async (t) => {
  const until = performance.now() + 12_000;
  const leading = new Set<string>();
  const wrong: string[] = [];
  let terms = 0;
  const life = async (identity: string) => {
    const { proxy, config } = await proxied();
    await using _ = proxy;
    const own = createKubeClient(config, { log: silentLog, userAgent: "test/0" });
    const trouble = (async () => {
      while (performance.now() < until) {
        await sleep(Math.random() * 1500);
        const dice = Math.random();
        if (dice < 0.4) proxy.cut();
        else if (dice < 0.7) {
          proxy.hold();
          await sleep(Math.random() * 2500);
          proxy.release();
        }
      }
      proxy.release();
    })();
    const quick = { leaseDurationMs: 1000, renewDeadlineMs: 600, retryMs: 100 };
    while (performance.now() < until) {
      const stopping = new AbortController();
      const timer = setTimeout(() => stopping.abort(), Math.min(until - performance.now(), 500 + Math.random() * 2500));
      const elector = createLeaderElector({ client: own, namespace, name: "storm", identity, log: silentLog, ...quick });
      await elector.run(stopping.signal, async (term) => {
        terms++;
        if (leading.size > 0) wrong.push(`${identity} leads beside ${[...leading].join()}`);
        leading.add(identity);
        await sleep(1_000_000, undefined, { signal: term }).catch(() => undefined);
        leading.delete(identity);
      });
      clearTimeout(timer);
    }
    await trouble;
    own[Symbol.dispose]();
  };
  await Promise.all(["a", "b", "c"].map(life));
  t.diagnostic(`${terms} terms`);
  assert.deepEqual(wrong, []);
  assert.ok(terms > 2);
});
