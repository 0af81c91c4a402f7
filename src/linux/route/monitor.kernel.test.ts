import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createTestNamespace } from "../../../test/support/netns.ts";
import { formatAddress } from "../../ip/address.ts";
import { formatPrefix } from "../../ip/prefix.ts";
import type { RouteEvent } from "./event.ts";
import { openRouteMonitor, type RouteGroup, type RouteMonitor } from "./monitor.ts";
import { newBridge } from "./new-link.ts";
import { openRouteSocket } from "./socket.ts";

const ALL: readonly RouteGroup[] = [
  "link",
  "ipv4-address",
  "ipv6-address",
  "ipv4-route",
  "ipv6-route",
  "ipv4-rule",
  "ipv6-rule",
  "neighbour",
];

/** Runs a monitor and keeps what it hears. */
class Ear implements AsyncDisposable {
  readonly heard: RouteEvent[] = [];
  readonly #stop = new AbortController();
  readonly #run: Promise<void>;

  constructor(monitor: RouteMonitor) {
    this.#run = monitor.run(this.#stop.signal, (event) => this.heard.push(event));
  }

  /** Waits until an event is described by this text; returns what was heard so far. */
  async until(text: string): Promise<string[]> {
    for (let waited = 0; waited < 5000; waited += 5) {
      const described = this.heard.map(describe);
      if (described.includes(text)) return described;
      await sleep(5);
    }
    assert.fail(`Did not hear ${JSON.stringify(text)}, but ${JSON.stringify(this.heard.map(describe))}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#run;
  }
}

function describe(event: RouteEvent): string {
  switch (event.kind) {
    case "overrun":
      return "overrun";
    case "link":
      return `${event.change} link ${event.value.name}`;
    case "address":
      return `${event.change} address ${formatAddress(event.value.address)}`;
    case "route":
      return `${event.change} route ${formatPrefix(event.value.destination)} table ${event.value.table}`;
    case "rule":
      return `${event.change} rule ${event.value.family} ${event.value.priority}`;
    case "neighbour":
      return `${event.change} neighbour ${formatAddress(event.value.address)} ${event.value.state}`;
  }
}

test("a monitor hears of what `ip` does", async () => {
  await using space = await createTestNamespace();
  using monitor = openRouteMonitor({ groups: ALL, namespace: space.ns });
  await using ear = new Ear(monitor);
  const steps: [command: string, event: string][] = [
    ["link add veth1 type veth peer name veth2", "new link veth1"],
    ["link set veth1 up", "new link veth1"],
    ["address add 10.2.0.1/32 dev veth1", "new address 10.2.0.1"],
    ["-6 address add fd02::1/128 dev veth1 nodad", "new address fd02::1"],
    ["route add 10.3.0.0/24 dev veth1 table 116", "new route 10.3.0.0/24 table 116"],
    ["-6 route add fd03::/64 dev veth1 table 116", "new route fd03::/64 table 116"],
    ["rule add pref 2000 lookup 116", "new rule ipv4 2000"],
    ["-6 rule add pref 2000 lookup 116", "new rule ipv6 2000"],
    ["neighbour add 10.3.0.9 lladdr 02:00:00:00:00:09 dev veth1 nud permanent", "new neighbour 10.3.0.9 permanent"],
    ["rule del pref 2000", "deleted rule ipv4 2000"],
    ["route del 10.3.0.0/24 table 116", "deleted route 10.3.0.0/24 table 116"],
    ["address del 10.2.0.1/32 dev veth1", "deleted address 10.2.0.1"],
    ["link del veth1", "deleted link veth1"],
  ];
  for (const [command, event] of steps) {
    await space.ip(command);
    await ear.until(event);
  }
  await ear.until("deleted link veth2");
});

test("a monitor hears of what happened between its opening and its run, of its groups only", async () => {
  await using space = await createTestNamespace();
  using monitor = openRouteMonitor({ groups: ["ipv4-route"], namespace: space.ns });
  await space.ip("rule add pref 2000 lookup 116");
  await space.ip("route add 10.3.0.0/24 dev lo table 116");
  await using ear = new Ear(monitor);
  assert.deepStrictEqual(await ear.until("new route 10.3.0.0/24 table 116"), ["new route 10.3.0.0/24 table 116"]);
});

test("a link that leaves its bridge is not taken for deleted", async () => {
  await using space = await createTestNamespace();
  await space.ip("link add br0 type bridge");
  await space.ip("link add veth1 master br0 type veth peer name veth2");
  using monitor = openRouteMonitor({ groups: ["link", "neighbour"], namespace: space.ns });
  await using ear = new Ear(monitor);
  await space.ip("link set veth1 nomaster");
  await space.ip("link set veth2 up");
  const heard = await ear.until("new link veth2");
  assert.deepStrictEqual(
    heard.filter((event) => event.startsWith("deleted")),
    [],
  );
});

test("a monitor that loses messages says so, and goes on", async () => {
  await using space = await createTestNamespace();
  using monitor = openRouteMonitor({ groups: ["link"], namespace: space.ns, receiveBufferBytes: 8192 });
  using socket = openRouteSocket(space.ns);
  // Nobody reads while these are made.
  await socket.batch(Array.from({ length: 30 }, (_, i) => newBridge({ name: `br${i}` })));
  await using ear = new Ear(monitor);
  const heard = await ear.until("overrun");
  assert.ok(heard.length < 30);
  await space.ip("link add last type bridge");
  await ear.until("new link last");
});

test("a monitor waits without a thread and ends at once when it is aborted or disposed", async () => {
  await using space = await createTestNamespace();
  using _warm = openRouteMonitor({ groups: ALL, namespace: space.ns });
  const before = readdirSync("/proc/self/task").length;
  const monitors = Array.from({ length: 8 }, () => openRouteMonitor({ groups: ALL, namespace: space.ns }));
  const stop = new AbortController();
  const events: RouteEvent[] = [];
  const runs = monitors.map((monitor) => monitor.run(stop.signal, (event) => events.push(event)));
  await sleep(10);
  assert.equal(readdirSync("/proc/self/task").length, before);
  monitors.pop()?.[Symbol.dispose]();
  await runs.pop();
  stop.abort();
  await Promise.all(runs);
  await space.ip("link add br0 type bridge");
  await sleep(10);
  assert.deepStrictEqual(events, []);
  for (const monitor of monitors) monitor[Symbol.dispose]();
  await assert.doesNotReject(openRouteMonitorAndAbort());
});

async function openRouteMonitorAndAbort(): Promise<void> {
  using monitor = openRouteMonitor({ groups: ["link"] });
  await monitor.run(AbortSignal.abort(), () => assert.fail("heard something"));
}

test("a run rejects with what its handler throws", async () => {
  await using space = await createTestNamespace();
  using monitor = openRouteMonitor({ groups: ["link"], namespace: space.ns });
  const run = monitor.run(new AbortController().signal, () => {
    throw new Error("enough");
  });
  await Promise.all([assert.rejects(run, /^Error: enough$/), space.ip("link add br0 type bridge")]);
});
