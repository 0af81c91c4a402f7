import assert from "node:assert/strict";
import test from "node:test";
import { type Connection, exchange, timeLeft } from "./exchange.ts";
import { encodePost } from "./http-request.ts";
import { SystemError } from "./system-error.ts";

const OK = Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
const bytes = encodePost("/v1/add", { name: "ä" });

function connection(parts: Partial<Connection>): Connection {
  return { send: async () => {}, receive: async () => undefined, close: () => {}, ...parts };
}

test("encodePost() frames the document by its length in bytes", () => {
  assert.equal(
    Buffer.from(bytes).toString(),
    'POST /v1/add HTTP/1.1\r\nHost: coild\r\nContent-Type: application/json\r\nContent-Length: 13\r\nConnection: close\r\n\r\n{"name":"ä"}',
  );
});

test("exchange() gives every step only the time that is left of the whole", async () => {
  let now = 1000;
  const given: number[] = [];
  const slow = connection({
    send: async (_, ms) => {
      given.push(ms);
      now += 300;
    },
    receive: async (ms) => {
      given.push(ms);
      now += 400;
      return OK.subarray(0, 10);
    },
  });
  await assert.rejects(
    exchange(
      slow,
      bytes,
      timeLeft(1000, () => now),
    ),
    { code: "ETIMEDOUT" },
  );
  assert.deepEqual(given, [1000, 700, 300]);
});

test("exchange() prefers the answer of a server that did not want the whole request to the broken pipe", async () => {
  const send = async () => {
    throw new SystemError("EPIPE", "broken pipe");
  };
  const left = timeLeft(1000, () => 0);
  const answered = await exchange(connection({ send, receive: async () => OK }), bytes, left);
  assert.equal(answered.status, 200);
  await assert.rejects(exchange(connection({ send }), bytes, left), { code: "EPIPE" });
  await assert.rejects(exchange(connection({}), bytes, left), { name: "TruncatedError" });
});
