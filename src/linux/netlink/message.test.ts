import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { viewOf } from "./byte-view.ts";
import { readMessages, writeMessage } from "./message.ts";
import { MessageSyntaxError } from "./message-syntax-error.ts";
import { MessageWriter } from "./writer.ts";

const messageArbitrary = fc.record({
  type: fc.nat(0xffff),
  flags: fc.nat(0xffff),
  sequence: fc.nat(0x7fffffff),
  payload: fc.uint8Array({ maxLength: 300 }),
});

function datagramOf(messages: readonly { type: number; flags: number; sequence: number; payload: Uint8Array }[]): Uint8Array {
  const writer = new MessageWriter(16);
  for (const message of messages) writeMessage(writer, message, message.payload);
  return writer.written.slice();
}

test("`readMessages()` gives back what `writeMessage()` wrote", () => {
  fc.assert(
    fc.property(fc.array(messageArbitrary, { maxLength: 6 }), (messages) => {
      const read = readMessages(viewOf(datagramOf(messages)));
      assert.deepStrictEqual(
        read.map(({ type, flags, sequence, view, start, end }) => ({
          type,
          flags,
          sequence,
          payload: Uint8Array.from(view.bytes.subarray(start, end)),
        })),
        messages.map(({ payload, ...header }) => ({ ...header, payload: Uint8Array.from(payload) })),
      );
    }),
  );
});

test("`readMessages()` refuses a datagram that ends too early, and says where", () => {
  const datagram = datagramOf([
    { type: 16, flags: 0, sequence: 1, payload: new Uint8Array(4) },
    { type: 16, flags: 0, sequence: 1, payload: new Uint8Array(4) },
  ]);
  for (const length of [7, 18, 21, 39]) {
    assert.throws(
      () => readMessages(viewOf(datagram.subarray(0, length))),
      (error) => error instanceof MessageSyntaxError && error.offset === (length < 20 ? 0 : 20),
      `${length} bytes`,
    );
  }
});

test("`readMessages()` refuses a length that would never end", () => {
  const datagram = datagramOf([{ type: 16, flags: 0, sequence: 1, payload: new Uint8Array(0) }]);
  datagram.fill(0, 0, 4);
  assert.throws(() => readMessages(viewOf(datagram)), MessageSyntaxError);
});

test("`readMessages()` of any bytes ends or throws MessageSyntaxError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (data) => {
      try {
        readMessages(viewOf(data));
      } catch (error) {
        if (!(error instanceof MessageSyntaxError)) throw error;
      }
    }),
  );
});
