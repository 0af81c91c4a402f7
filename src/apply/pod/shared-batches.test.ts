import assert from "node:assert/strict";
import { test } from "node:test";
import { KernelError } from "../../linux/kernel-error.ts";
import type { RouteRequest } from "../../linux/route/request.ts";
import { createSharedBatches } from "./shared-batches.ts";

function request(describe: string): RouteRequest {
  return { describe, type: 0, flags: 0, payload: new Uint8Array() };
}

/** A socket that fails requests called `bad…`, and tells what it was sent together. */
function createSocket() {
  const sent: string[][] = [];
  return {
    sent,
    async tryBatch(requests: readonly RouteRequest[]) {
      sent.push(requests.map(({ describe }) => describe));
      await new Promise((resolve) => setImmediate(resolve));
      if (requests.some(({ describe }) => describe === "broken")) throw new Error("the socket is broken");
      return requests.map(({ describe }) =>
        describe.startsWith("bad") ? new KernelError({ operation: describe, errno: 17 }) : undefined,
      );
    },
  };
}

test("`tryBatch()` sends at once what comes first, then together what came meanwhile; each gets its own results in order", async () => {
  const socket = createSocket();
  const shared = createSharedBatches(socket);
  const results = await Promise.all([
    shared.tryBatch([request("a1"), request("a2")]),
    shared.tryBatch([request("b1"), request("bad b2"), request("b3")]),
    shared.tryBatch([request("bad c1")]),
    shared.tryBatch([]),
  ]);
  assert.deepStrictEqual(socket.sent, [
    ["a1", "a2"],
    ["b1", "bad b2", "b3", "bad c1"],
  ]);
  assert.deepStrictEqual(
    results.map((result) => result.map((error) => error?.operation)),
    [[undefined, undefined], [undefined, "bad b2", undefined], ["bad c1"], []],
  );
});

test("`tryBatch()` keeps datagrams short, but sends a long batch whole", async () => {
  const socket = createSocket();
  const shared = createSharedBatches(socket);
  const batch = (name: string, length: number) => shared.tryBatch(Array.from({ length }, (_, i) => request(`${name}${i}`)));
  await Promise.all([batch("a", 1), batch("b", 40), batch("c", 40), batch("d", 100), batch("e", 1)]);
  assert.deepStrictEqual(
    socket.sent.map(({ length }) => length),
    [1, 40, 40, 100, 1],
  );
});

test("`tryBatch()` of a socket that fails rejects for all that were sent together, and goes on", async () => {
  const socket = createSocket();
  const shared = createSharedBatches(socket);
  const first = shared.tryBatch([request("a")]);
  const settled = Promise.allSettled([shared.tryBatch([request("b")]), shared.tryBatch([request("broken")])]);
  assert.deepStrictEqual(await first, [undefined]);
  assert.deepStrictEqual(
    (await settled).map(({ status }) => status),
    ["rejected", "rejected"],
  );
  assert.deepStrictEqual(await shared.tryBatch([request("c")]), [undefined]);
});
