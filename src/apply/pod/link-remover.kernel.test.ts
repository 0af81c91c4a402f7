import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestNamespace, type TestNamespace } from "../../../test/support/netns.ts";
import { openRouteSocket, type RouteSocket } from "../../linux/route/socket.ts";
import { createSilentLogger } from "../../observe/logger.ts";
import { createLinkRemover } from "./link-remover.ts";

const log = createSilentLogger();

async function makeLinks(space: TestNamespace, count: number): Promise<number[]> {
  const commands = Array.from(
    { length: count },
    (_, i) => `link add v${i} index ${100 + i} type veth peer name p${i} index ${1000 + i}`,
  );
  await space.exec("sh", "-c", `ip -batch - <<'END'\n${commands.join("\n")}\nEND`);
  return Array.from({ length: count }, (_, i) => 100 + i);
}

async function names(space: TestNamespace): Promise<string[]> {
  return (await space.ip("-oneline link")).split("\n").map((line) => line.split(/[:@ ]+/)[1] ?? "");
}

/** Counts the batches that go through a socket. */
function counting(socket: RouteSocket): { socket: RouteSocket; batches: number[] } {
  const batches: number[] = [];
  return {
    batches,
    socket: {
      ...socket,
      tryBatch(requests, options) {
        batches.push(requests.length);
        return socket.tryBatch(requests, options);
      },
    },
  };
}

test("`remove()` of many at once deletes them as one group, and nothing else", async (t) => {
  await using space = await createTestNamespace();
  using socket = openRouteSocket(space.ns);
  const indexes = await makeLinks(space, 50);
  await space.ip("link add keep type veth peer name keeppeer");
  const counted = counting(socket);
  const remover = createLinkRemover({ socket: counted.socket, log });
  const started = performance.now();
  const removals = indexes.map((index) => remover.remove(index));
  assert.ok(remover.isRemoving(120));
  const outcomes = await Promise.all([...removals, remover.remove(4711)]);
  t.diagnostic(`${Math.round(performance.now() - started)} ms`);
  assert.deepStrictEqual(outcomes, [...indexes.map(() => "removed"), "absent"]);
  assert.deepStrictEqual((await names(space)).sort(), ["keep", "keeppeer", "lo"]);
  assert.deepStrictEqual(counted.batches, [51, 1]);
  assert.ok(!remover.isRemoving(120));
});

test("`remove()` of one link twice is one deletion, and what comes meanwhile goes next", async () => {
  await using space = await createTestNamespace();
  using socket = openRouteSocket(space.ns);
  await makeLinks(space, 5);
  const counted = counting(socket);
  const remover = createLinkRemover({ socket: counted.socket, log });
  const first = [remover.remove(100), remover.remove(100)];
  await new Promise((resolve) => setTimeout(resolve, 2));
  const rest = [101, 102, 103].map((index) => remover.remove(index));
  assert.deepStrictEqual(await Promise.all([...first, ...rest]), ["removed", "removed", "removed", "removed", "removed"]);
  assert.deepStrictEqual(counted.batches, [1, 3, 1]);
  assert.deepStrictEqual((await names(space)).sort(), ["lo", "p4", "v4"]);
  assert.equal(await remover.remove(100), "absent");
});

test("`remove()` goes one by one when the group has a link in it that cannot be deleted", async () => {
  await using space = await createTestNamespace();
  using socket = openRouteSocket(space.ns);
  await makeLinks(space, 3);
  await space.ip("link set lo group 1668245860");
  const remover = createLinkRemover({ socket, log });
  const outcomes = await Promise.all([100, 101, 102].map((index) => remover.remove(index)));
  assert.deepStrictEqual(outcomes, ["removed", "removed", "removed"]);
  assert.deepStrictEqual(await names(space), ["lo"]);
});

test("`remove()` whose answer is lost rejects: the link must not be taken for gone", async () => {
  await using space = await createTestNamespace();
  using socket = openRouteSocket(space.ns);
  await makeLinks(space, 2);
  const remover = createLinkRemover({
    log,
    socket: {
      ...socket,
      async tryBatch(requests, options) {
        await socket.tryBatch(requests, options);
        throw new Error("lost");
      },
    },
  });
  const outcomes = await Promise.allSettled([100, 101].map((index) => remover.remove(index)));
  assert.deepStrictEqual(
    outcomes.map(({ status }) => status),
    ["rejected", "rejected"],
  );
  await remover.idle();
});
