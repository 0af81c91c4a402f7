import assert from "node:assert/strict";
import { test } from "node:test";
import { type ByteView, viewOf } from "./byte-view.ts";
import { NLM_F_MULTI, NLMSG_DONE, NLMSG_ERROR } from "./constants.ts";
import { MESSAGE_HEADER_BYTES, type NetlinkMessage, readMessages, writeMessage } from "./message.ts";
import type { NetlinkRequest } from "./request.ts";
import { createNetlinkSocket } from "./socket.ts";
import type { NetlinkTransport } from "./transport.ts";
import { MessageWriter } from "./writer.ts";

const request = (size = 8): NetlinkRequest => ({ describe: "do it", type: 24, flags: 0, payload: new Uint8Array(size) });

interface Answer {
  readonly type: number;
  readonly flags?: number;
  readonly sequence: number;
  /** The error number, or the first word of another payload. */
  readonly word: number;
}

/** A kernel that answers a datagram as `answer` says: the seam below everything that is tested here. */
function fakeKernel(answer: (requests: readonly NetlinkMessage[]) => Answer[]): NetlinkTransport & { readonly sent: number[][] } {
  const waiting: ByteView[] = [];
  const sent: number[][] = [];
  return {
    sent,
    async send(datagram) {
      const requests = readMessages(viewOf(Uint8Array.from(datagram)));
      sent.push([datagram.length, requests.length]);
      for (const { type, flags, sequence, word } of answer(requests)) {
        const payload = new MessageWriter();
        payload.u32(word >>> 0);
        if (type === NLMSG_ERROR) payload.zeros(MESSAGE_HEADER_BYTES);
        const writer = new MessageWriter();
        writeMessage(writer, { type, flags: flags ?? 0, sequence }, payload.written);
        waiting.push(viewOf(writer.written));
      }
    },
    receive: () => waiting.shift(),
    receiveSlow: async () => waiting.shift(),
    watch: () => ({ [Symbol.dispose]() {} }),
    [Symbol.dispose]() {},
  };
}

const acknowledge = (requests: readonly NetlinkMessage[]): Answer[] =>
  requests.map(({ sequence }) => ({ type: NLMSG_ERROR, sequence, word: 0 }));

test("requests that are many are sent in several datagrams", async () => {
  const kernel = fakeKernel(acknowledge);
  using socket = createNetlinkSocket(kernel);
  const results = await socket.tryBatch(Array.from({ length: 300 }, () => request()));
  assert.equal(results.length, 300);
  assert.deepStrictEqual(kernel.sent, [
    [128 * 24, 128],
    [128 * 24, 128],
    [44 * 24, 44],
  ]);
});

test("requests that are large are sent in several datagrams, and one that is larger than that alone", async () => {
  const kernel = fakeKernel(acknowledge);
  using socket = createNetlinkSocket(kernel);
  await socket.batch([request(40_000), request(20_000), request(20_000), request(70_000), request(8)]);
  assert.deepStrictEqual(
    kernel.sent.map(([, count]) => count),
    [2, 1, 1, 1],
  );
});

test("a call that is aborted between two datagrams sends no more", async () => {
  const controller = new AbortController();
  const kernel = fakeKernel((requests) => {
    controller.abort(new Error("enough"));
    return acknowledge(requests);
  });
  using socket = createNetlinkSocket(kernel);
  await assert.rejects(
    socket.tryBatch(
      Array.from({ length: 300 }, () => request()),
      { signal: controller.signal },
    ),
    /^Error: enough$/,
  );
  assert.equal(kernel.sent.length, 1);
});

test("answers are assigned by their sequence numbers, and those of earlier calls are passed over", async () => {
  const kernel = fakeKernel((requests) => [
    { type: NLMSG_ERROR, sequence: requests[0]!.sequence - 1, word: -1 },
    ...acknowledge(requests)
      .map((answer, i) => ({ ...answer, word: -i }))
      .reverse(),
  ]);
  using socket = createNetlinkSocket(kernel);
  const results = await socket.tryBatch([request(), request(), request()]);
  assert.deepStrictEqual(
    results.map((result) => result?.code),
    [undefined, "EPERM", "ENOENT"],
  );
});

test("an answer that does not come is an error, and not a hang", async () => {
  using socket = createNetlinkSocket(fakeKernel(() => []));
  await assert.rejects(socket.batch([request()]), { code: "EBADMSG", detail: "an answer is missing" });
  await assert.rejects(
    socket.dump(request(), () => 1),
    { code: "EBADMSG", detail: "the end of the answer is missing" },
  );
});

test("`get()` gives what comes before the acknowledgement, and undefined when nothing does", async () => {
  using socket = createNetlinkSocket(
    fakeKernel((requests) => [{ type: 24, sequence: requests[0]!.sequence, word: 7 }, ...acknowledge(requests)]),
  );
  const word = ({ view, start }: NetlinkMessage) => view.data.getUint32(start, true);
  assert.equal(await socket.get(request(), word), 7);
  using silent = createNetlinkSocket(fakeKernel(acknowledge));
  assert.equal(await silent.get(request(), word), undefined);
});

test("`dump()` reads to the end also when a message cannot be decoded, and then fails", async () => {
  let round = 0;
  const kernel = fakeKernel(([first]) => {
    round++;
    const { sequence } = first!;
    const part = { type: 24, flags: NLM_F_MULTI, sequence };
    return [
      { ...part, word: 1 },
      { ...part, word: 2 },
      { type: NLMSG_DONE, flags: NLM_F_MULTI, sequence, word: round === 2 ? -13 : 0 },
    ];
  });
  using socket = createNetlinkSocket(kernel);
  const word = ({ view, start }: NetlinkMessage) => view.data.getUint32(start, true);
  await assert.rejects(
    socket.dump(request(), () => {
      throw new SyntaxError("bad message");
    }),
    /^SyntaxError: bad message$/,
  );
  // The second dump is not confused by rests of the first one, and tells the error that its end brings.
  await assert.rejects(socket.dump(request(), word), { code: "EACCES" });
  assert.deepStrictEqual(await socket.dump(request(), word), [1, 2]);
});

test("sequence numbers go on after the largest one", async () => {
  const kernel = fakeKernel(acknowledge);
  using socket = createNetlinkSocket(kernel, { firstSequence: 0xfffffffe });
  assert.deepStrictEqual(await socket.tryBatch([request(), request(), request(), request()]), Array(4).fill(undefined));
});
