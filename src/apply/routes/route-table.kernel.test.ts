import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { createFaultyKernel } from "../../../test/support/faulty-kernel.ts";
import { createPodHost, type PodHost } from "../../../test/support/pod-host.ts";
import { createRandom } from "../../../test/support/random.ts";
import { parseAddress } from "../../ip/address.ts";
import { parsePrefix } from "../../ip/prefix.ts";
import { createSilentLogger } from "../../observe/logger.ts";
import type { WantedRoute } from "../../podnet/route-changes.ts";
import { createRouteExporter } from "../exported-routes.ts";
import { createMainRoutes } from "../main-routes.ts";
import type { RouteKeeperDeps } from "./route-keeper.ts";

const EXPORT = { table: 119, protocol: 30 };

function depsOf(lab: PodHost, more: Partial<RouteKeeperDeps> = {}): RouteKeeperDeps {
  return { log: createSilentLogger(), namespace: lab.host.ns, ...more };
}

async function exported(lab: PodHost): Promise<string[]> {
  const lines = await lab.host.exec(
    "sh",
    "-c",
    "ip route show table 119 2>/dev/null; ip -6 route show table 119 2>/dev/null; true",
  );
  return lines.split("\n").filter((line) => line !== "");
}

async function mainRoutes(lab: PodHost): Promise<string[]> {
  const lines = await lab.host.exec("sh", "-c", "ip route show proto 31; ip -6 route show proto 31");
  return lines.split("\n").filter((line) => line !== "");
}

function route(destination: string, gateway: string): WantedRoute {
  return { destination: parsePrefix(destination), gateway: parseAddress(gateway) };
}

test("`RouteExporter.apply()` makes table 119 what routing daemons read, and leaves routes of others there alone", async () => {
  await using lab = await createPodHost();
  await lab.host.ip("route add 10.2.0.32/27 dev lo table 119 proto 30");
  await lab.host.ip("route add 198.51.100.0/24 dev lo table 119 proto static");
  await lab.host.ip("route add 10.2.0.0/27 dev lo proto 30");
  await using exporter = createRouteExporter(EXPORT, depsOf(lab));
  const first = await exporter.apply(["10.2.0.0/27", "10.3.0.7/32", "fd02::/123"].map(parsePrefix));
  assert.deepStrictEqual(first, { added: 3, replaced: 0, removed: 1, failed: [], drift: [] });
  const text = await exported(lab);
  assert.deepStrictEqual(
    text.map((line) => line.trim()),
    [
      "10.2.0.0/27 dev lo proto 30",
      "10.3.0.7 dev lo proto 30",
      "198.51.100.0/24 dev lo proto static scope link",
      "fd02::/123 dev lo proto 30 metric 1024 pref medium",
    ],
  );
  assert.match(await lab.host.ip("route show proto 30"), /10\.2\.0\.0\/27/, "the main table is not ours");
  assert.deepStrictEqual((await exporter.apply([])).removed, 3);
  assert.deepStrictEqual((await exported(lab)).length, 1);
});

test("one network that cannot be exported does not keep the others from it, and is named", async () => {
  await using lab = await createPodHost();
  await lab.host.ip("route add 10.2.0.32/27 dev lo table 119 proto static");
  await using exporter = createRouteExporter(EXPORT, depsOf(lab));
  const report = await exporter.apply(["10.2.0.0/27", "10.2.0.32/27", "fd02::/123"].map(parsePrefix));
  assert.equal(report.added, 2);
  assert.deepStrictEqual(exporter.problems(), ["cannot export 10.2.0.32/27: another program has a route to it"]);
  assert.equal((await exported(lab)).length, 3);
});

test("an exporter touches nothing before its first `apply()`, so that a restart withdraws no route", async () => {
  await using lab = await createPodHost();
  await lab.host.ip("route add 10.2.0.0/27 dev lo table 119 proto 30");
  await using exporter = createRouteExporter(EXPORT, depsOf(lab, { everythingMs: 50 }));
  lab.start(exporter);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal((await exported(lab)).length, 1);
  const report = await exporter.apply([parsePrefix("10.2.0.0/27")]);
  assert.deepStrictEqual([report.added, report.removed], [0, 0]);
});

test("while networks change, each that stays is exported all the time", async () => {
  await using lab = await createPodHost();
  await using exporter = createRouteExporter(EXPORT, depsOf(lab));
  const random = createRandom();
  const all = Array.from({ length: 40 }, (_, i) => parsePrefix(`10.2.${i}.0/27`));
  const stays = parsePrefix("10.9.0.0/27");
  await exporter.apply([stays]);
  // Whole states, asked for faster than they can be made: the last one counts.
  const applied = Array.from({ length: 20 }, () => exporter.apply([stays, ...random.shuffle(all).slice(random.integer(40))]));
  assert.ok((await exported(lab)).some((line) => line.startsWith("10.9.0.0/27")));
  await Promise.all(applied);
  await exporter.apply([stays, ...all.slice(0, 3)]);
  assert.deepStrictEqual(
    (await exported(lab)).map((line) => line.split(" ")[0]),
    ["10.2.0.0/27", "10.2.1.0/27", "10.2.2.0/27", "10.9.0.0/27"],
  );
});

test("exported routes that others remove, replace or add are put right within a second, counted", async () => {
  await using lab = await createPodHost();
  const counted: string[] = [];
  await using exporter = createRouteExporter(EXPORT, depsOf(lab, { driftRepaired: (kind) => counted.push(kind) }));
  await exporter.apply(["10.2.0.0/27", "fd02::/123"].map(parsePrefix));
  const whole = (await exported(lab)).join();
  lab.start(exporter);
  for (const damage of [
    "ip route delete 10.2.0.0/27 table 119",
    "ip -6 route flush table 119",
    "ip route flush table 119",
    "ip link set lo down; ip link set lo up",
    "ip route replace 10.2.0.0/27 dev eth0 table 119 proto 30",
    "ip route add 10.7.0.0/27 dev lo table 119 proto 30",
  ]) {
    counted.length = 0;
    await lab.host.exec("sh", "-c", damage);
    await eventually(`table 119 after: ${damage}`, 1000, async () => (await exported(lab)).join() === whole);
    if (!damage.includes("add")) assert.ok(counted.includes("exported-route"), damage);
  }
});

test("an exporter whose kernel fails now and then gets there", async () => {
  await using lab = await createPodHost();
  const faulty = createFaultyKernel();
  await using exporter = createRouteExporter(EXPORT, depsOf(lab, { kernel: faulty.kernel, everythingMs: 200 }));
  faulty.plan((call) => (call < 6 ? (call % 2 === 0 ? "refused" : "answer-lost") : undefined));
  await assert.rejects(exporter.apply([parsePrefix("10.2.0.0/27")]));
  lab.start(exporter);
  await eventually("the route", 10_000, async () => (await exported(lab)).length === 1);
});

test("10,000 networks are exported and withdrawn", async (t) => {
  await using lab = await createPodHost();
  await using exporter = createRouteExporter(EXPORT, depsOf(lab));
  const prefixes = Array.from({ length: 10_000 }, (_, i) => parsePrefix(`10.${i >> 11}.${(i >> 3) & 255}.${(i & 7) * 32}/27`));
  for (const wanted of [prefixes, prefixes, []]) {
    const started = performance.now();
    const { added, removed } = await exporter.apply(wanted);
    t.diagnostic(`+${added} -${removed} in ${Math.round(performance.now() - started)} ms`);
    assert.equal((await lab.host.exec("sh", "-c", "ip route show table 119 | wc -l")).trim(), String(wanted.length));
  }
});

test("main routes lead to other nodes' blocks; one gateway that is not on a network of the node stops no other", async () => {
  await using lab = await createPodHost();
  await lab.host.ip("route add 10.2.0.96/27 via 192.0.2.2 proto static");
  await using routes = createMainRoutes({ protocol: 31 }, depsOf(lab));
  const wanted = [
    route("10.2.0.32/27", "192.0.2.2"),
    route("10.2.0.64/27", "203.0.113.9"),
    route("10.2.0.96/27", "192.0.2.3"),
    route("fd02::20/123", "2001:db8::2"),
  ];
  const report = await routes.apply(wanted);
  assert.deepStrictEqual(
    report.failed.map(({ destination }) => destination),
    ["10.2.0.64/27", "10.2.0.96/27"],
  );
  assert.match(
    routes.problems().join("\n"),
    /no route to 10\.2\.0\.64\/27: its node 203\.0\.113\.9 is not on a network of this one/,
  );
  assert.match(routes.problems().join("\n"), /no route to 10\.2\.0\.96\/27: another program has a route to it/);
  assert.deepStrictEqual(await mainRoutes(lab), [
    "10.2.0.32/27 via 192.0.2.2 dev eth0",
    "fd02::20/123 via 2001:db8::2 dev eth0 metric 1024 pref medium",
  ]);
  assert.match(await lab.host.ip("route show 10.2.0.96/27"), /via 192\.0\.2\.2 dev eth0 proto static/);

  const moved = await routes.apply([route("10.2.0.32/27", "192.0.2.4"), route("fd02::20/123", "2001:db8::4")]);
  assert.deepStrictEqual(moved, { added: 0, replaced: 2, removed: 0, failed: [], drift: [] });
  assert.deepStrictEqual(await mainRoutes(lab), [
    "10.2.0.32/27 via 192.0.2.4 dev eth0",
    "fd02::20/123 via 2001:db8::4 dev eth0 metric 1024 pref medium",
  ]);
  assert.deepStrictEqual((await routes.apply([])).removed, 2);
  assert.match(await lab.host.ip("route show 10.2.0.96/27"), /proto static/);
});

test("main routes come back with their link, and a gateway that appears later is used within a second", async () => {
  await using lab = await createPodHost();
  const counted: string[] = [];
  await using routes = createMainRoutes({ protocol: 31 }, depsOf(lab, { driftRepaired: (kind) => counted.push(kind) }));
  await routes.apply([route("10.2.0.32/27", "192.0.2.2"), route("10.2.0.64/27", "203.0.113.9")]);
  lab.start(routes);
  await lab.host.ip("address add 203.0.113.1/24 dev eth0");
  await eventually("the second route", 1000, async () => (await mainRoutes(lab)).length === 2);
  const whole = (await mainRoutes(lab)).join();
  for (const damage of [
    "ip route flush proto 31",
    "ip route replace 10.2.0.32/27 via 192.0.2.9 proto 31",
    "ip link set eth0 down; ip link set eth0 up",
    "ip route add 10.7.0.0/27 via 192.0.2.2 proto 31",
  ]) {
    await lab.host.exec("sh", "-c", damage);
    await eventually(`main routes after: ${damage}`, 1000, async () => (await mainRoutes(lab)).join() === whole);
  }
  assert.ok(counted.length >= 4 && counted.every((kind) => kind === "main-route"), counted.join());
  assert.deepStrictEqual(routes.problems(), []);
});
