import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { createTestNamespace } from "../../../test/support/netns.ts";
import { parsePrefix } from "../../ip/prefix.ts";
import { KernelError } from "../kernel-error.ts";
import type { NetNamespace } from "../netns/namespace.ts";
import { addRoute } from "../route/change-route.ts";
import { deleteLink, deleteLinkGroup } from "../route/delete-link.ts";
import { newBridge, newVeth } from "../route/new-link.ts";
import { createRouteSocket, openRouteSocket, type RouteSocket } from "../route/socket.ts";
import { NETLINK_ROUTE } from "./constants.ts";
import { openNetlinkTransport } from "./transport.ts";

const route = (i: number) =>
  addRoute({ family: "ipv4", destination: parsePrefix(`10.${i >> 8}.${i & 255}.0/24`), table: 119, protocol: 30, index: 1 });

test("a failed request does not stop those behind it, and the results are in order", async () => {
  await using space = await createTestNamespace();
  using socket = openRouteSocket(space.ns);
  const results = await socket.tryBatch([route(1), route(1), route(2), deleteLink({ name: "absent" }), route(3)]);
  assert.deepStrictEqual(
    results.map((result) => result?.code),
    [undefined, "EEXIST", undefined, "ENODEV", undefined],
  );
  await assert.rejects(socket.batch([route(4), route(1), route(5)]), {
    code: "EEXIST",
    operation: /^add route 10\.0\.1\.0\/24 /,
  });
  assert.equal((await socket.routes({ family: "ipv4", table: 119 })).length, 5);
  assert.deepStrictEqual(await socket.tryBatch([]), []);
});

test("what the kernel says besides the number is in the error", async () => {
  await using space = await createTestNamespace();
  using socket = openRouteSocket(space.ns);
  const [failure] = await socket.tryBatch([
    addRoute({ family: "ipv4", table: 119, protocol: 30, gateway: { family: "ipv4", value: 0x01020304n } }),
  ]);
  assert.ok(failure instanceof KernelError);
  assert.equal(failure.detail, "Nexthop has invalid gateway");
  assert.equal(
    failure.message,
    "Cannot add route default (ipv4) via 1.2.3.4 in table 119: network is unreachable (ENETUNREACH): Nexthop has invalid gateway",
  );
});

test("calls that come at the same time are done one after the other", async () => {
  await using space = await createTestNamespace();
  using socket = openRouteSocket(space.ns);
  const [, routes, , more] = await Promise.all([
    socket.batch([route(1)]),
    socket.routes({ family: "ipv4", table: 119 }),
    socket.batch([route(2)]),
    socket.routes({ family: "ipv4", table: 119 }),
  ]);
  assert.deepStrictEqual([routes.length, more.length], [1, 2]);
});

test("the event loop goes on while the kernel takes its time", async () => {
  await using space = await createTestNamespace();
  using socket = openRouteSocket(space.ns);
  await socket.batch(Array.from({ length: 20 }, (_, i) => newVeth({ name: `veth${i}`, group: 5, peer: { name: `peer${i}` } })));
  let turns = 0;
  let running = true;
  const count = () => {
    turns++;
    if (running) setImmediate(count);
  };
  setImmediate(count);
  await socket.batch([deleteLinkGroup({ group: 5 })]);
  running = false;
  assert.ok(turns >= 10, `the event loop turned ${turns} times`);
});

test("a call that is aborted while it waits is not sent", async () => {
  await using space = await createTestNamespace();
  using socket = openRouteSocket(space.ns);
  const controller = new AbortController();
  const first = socket.batch([route(1)]);
  const second = socket.batch([route(2)], { signal: controller.signal });
  const third = socket.batch([route(3)]);
  controller.abort(new Error("not any more"));
  await assert.rejects(second, /^Error: not any more$/);
  await Promise.all([first, third]);
  assert.deepStrictEqual(
    (await socket.routes({ family: "ipv4", table: 119 })).map(({ destination }) => destination),
    [parsePrefix("10.0.1.0/24"), parsePrefix("10.0.3.0/24")],
  );
});

test("a call that is aborted after it was sent rejects when the kernel has done it", async () => {
  await using space = await createTestNamespace();
  using socket = openRouteSocket(space.ns);
  using other = openRouteSocket(space.ns);
  const controller = new AbortController();
  const batch = socket.batch([newBridge({ name: "br0" })], { signal: controller.signal });
  // The turn in which it is sent is over.
  await new Promise((resolve) => queueMicrotask(() => resolve(undefined)));
  controller.abort(new Error("too late"));
  await assert.rejects(batch, /^Error: too late$/);
  assert.equal((await other.link({ name: "br0" }))?.kind, "bridge");
  // The answers were consumed: the socket is as good as new.
  assert.equal((await socket.link({ name: "br0" }))?.name, "br0");
  await assert.rejects(socket.links({}, { signal: controller.signal }), /^Error: too late$/);
});

test("disposing lets the running call end, refuses the others, and closes the descriptor then", async () => {
  await using space = await createTestNamespace();
  const before = readdirSync("/proc/self/fd").length;
  const socket = openRouteSocket(space.ns);
  const running = socket.batch([route(1)]);
  const waiting = socket.batch([route(2)]);
  socket[Symbol.dispose]();
  socket[Symbol.dispose]();
  await assert.rejects(waiting, { code: "EBADF" });
  await running;
  await assert.rejects(socket.links(), { code: "EBADF" });
  assert.equal(readdirSync("/proc/self/fd").length, before);
});

test("a dump that changes interrupt is made again until it is whole", async () => {
  await using space = await createTestNamespace();
  using changer = openRouteSocket(space.ns);
  await changer.batch(Array.from({ length: 60 }, (_, i) => newBridge({ name: `br${i}` })));
  let changes = 0;
  using socket = disturbed(space.ns, async () => {
    if (changes === 2) return;
    changes++;
    await changer.batch([newBridge({ name: `extra${changes}` })]);
  });
  const names = (await socket.links()).map(({ name }) => name);
  assert.equal(changes, 2);
  assert.equal(names.length, 63);
  assert.deepStrictEqual([...new Set(names)], names);
});

test("a dump that changes interrupt again and again fails with EINTR, and the next one succeeds", async () => {
  await using space = await createTestNamespace();
  using changer = openRouteSocket(space.ns);
  await changer.batch(Array.from({ length: 60 }, (_, i) => newBridge({ name: `br${i}` })));
  let changes = 0;
  using socket = disturbed(space.ns, async () => {
    if (changes === 8) return;
    changes++;
    await changer.batch([newBridge({ name: `extra${changes}` })]);
  });
  await assert.rejects(socket.links(), { code: "EINTR", operation: "list links" });
  assert.equal((await socket.links()).length, 69);
});

/** A socket whose dumps are disturbed after their first part, each time. */
function disturbed(namespace: NetNamespace, disturb: () => Promise<void>): RouteSocket {
  const transport = openNetlinkTransport({ protocol: NETLINK_ROUTE, namespace });
  let first = false;
  return createRouteSocket({
    async send(datagram) {
      await transport.send(datagram);
      first = true;
    },
    receive: () => transport.receive(),
    async receiveSlow() {
      const view = await transport.receiveSlow();
      if (first) await disturb();
      first = false;
      return view;
    },
    watch: (onReadable) => transport.watch(onReadable),
    [Symbol.dispose]: () => transport[Symbol.dispose](),
  });
}

test("hundreds of sockets may work at the same time, and files are still read", async () => {
  await using space = await createTestNamespace();
  const sockets = Array.from({ length: 400 }, () => openRouteSocket(space.ns));
  try {
    const batches = sockets.map((socket, i) => socket.batch([route(i)]));
    await readFile("/proc/self/stat");
    await Promise.all(batches);
    assert.equal((await sockets[0]!.routes({ family: "ipv4", table: 119 })).length, 400);
  } finally {
    for (const socket of sockets) socket[Symbol.dispose]();
  }
});
