import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { createResponseReader, type HttpResponse, TruncatedError } from "./http-response.ts";

const MAX_BODY = 100_000;

/** Reads a response from pieces; `end` tells that the connection ends after them. */
function read(pieces: readonly Uint8Array[], end = true): HttpResponse | undefined {
  const reader = createResponseReader({ maxBody: MAX_BODY });
  let response: HttpResponse | undefined;
  for (const piece of pieces) response = reader.push(piece) ?? response;
  return response ?? (end ? reader.end() : undefined);
}

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
const readText = (text: string, end?: boolean) => {
  const response = read([bytes(text)], end);
  return response && `${response.status} ${Buffer.from(response.body).toString("latin1")}`;
};

/** The bytes cut at the places. */
function cut(whole: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (whole.length + 1)), whole.length].sort((a, b) => a - b);
  return ends.map((end, i) => whole.subarray(i === 0 ? 0 : (ends[i - 1] as number), end));
}

test("a response is read by its length, by its chunks, or up to the end of the connection", () => {
  assert.equal(readText("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloREST", false), "200 hello");
  assert.equal(readText("HTTP/1.1 200 OK\r\nContent-Length: 5\r\ncontent-length:  5 \r\n\r\nhello", false), "200 hello");
  assert.equal(
    readText(
      "HTTP/1.1 503 Service Unavailable\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\n",
      false,
    ),
    "503 abc0123456789",
  );
  assert.equal(readText("HTTP/1.0 200\r\n\r\nto the end"), "200 to the end");
  assert.equal(readText("HTTP/1.0 200\r\n\r\nto the end", false), undefined);
  assert.equal(readText("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", false), "204 ");
});

test("what is no response is refused with a reason", () => {
  for (const [text, message] of [
    ["SSH-2.0-OpenSSH_9.2\r\n", /not an HTTP response: it begins with "SSH-2\.0/],
    ["HTTP/2 200\r\n\r\n", /not an HTTP response/],
    ["HTTP/1.1 200 OK\n\n", /does not end with CRLF/],
    ["HTTP/1.1 200 OK\r\nno colon\r\n\r\n", /malformed header line/],
    ["HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n", /malformed header line/],
    ["HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", /malformed content length/],
    ["HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", /malformed content length/],
    ["HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n", /a body of more than 100000 bytes/],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", /unknown transfer coding/],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", /malformed chunk size/],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffff\r\n", /a body of more than/],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", /longer than it says|CRLF/],
    [`HTTP/1.1 200 OK\r\nA: ${"x".repeat(20_000)}`, /a line of more than 16384 bytes/],
    [`HTTP/1.1 200 OK\r\n${"A: b\r\n".repeat(101)}`, /more than 100 header lines/],
    [`HTTP/1.0 200 OK\r\n\r\n${"x".repeat(100_001)}`, /a body of more than/],
  ] as const) {
    assert.throws(
      () => readText(text, false),
      (error) => error instanceof SyntaxError && message.test(error.message),
      text.slice(0, 60),
    );
  }
});

test("a response that is cut short is told apart from a malformed one", () => {
  const whole = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => readText(whole.slice(0, length)), TruncatedError, `${length} bytes`);
  }
  assert.equal(readText(whole), "200 abc");
});

const body = fc.uint8Array({ maxLength: 2000 });

/** A response in one of the three framings, with the body it must be read as. */
const response = fc
  .record({
    body,
    status: fc.integer({ min: 200, max: 599 }).filter((status) => status !== 204 && status !== 304),
    framing: fc.constantFrom("length", "chunked", "end"),
    sizes: fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1 }),
  })
  .map(({ body, status, framing, sizes }) => {
    const head = `HTTP/1.1 ${status} Some Reason\r\nDate: now\r\n`;
    if (framing === "end") return { status, body, wire: Buffer.concat([bytes(`${head}\r\n`), body]) };
    if (framing === "length")
      return { status, body, wire: Buffer.concat([bytes(`${head}Content-Length: ${body.length}\r\n\r\n`), body]) };
    const parts: Uint8Array[] = [bytes(`${head}Transfer-Encoding: Chunked\r\n\r\n`)];
    for (let start = 0, i = 0; start < body.length; i++) {
      const chunk = body.subarray(start, start + (sizes[i % sizes.length] as number));
      parts.push(bytes(`${chunk.length.toString(16)}\r\n`), chunk, bytes("\r\n"));
      start += chunk.length;
    }
    return { status, body, wire: Buffer.concat([...parts, bytes("0\r\n\r\n")]) };
  });

test("a response is the same in whatever pieces it arrives", () => {
  fc.assert(
    fc.property(response, fc.array(fc.nat(), { maxLength: 40 }), ({ status, body, wire }, places) => {
      const found = read(cut(wire, places));
      assert.deepEqual({ status: found?.status, body: Buffer.from(found?.body ?? []) }, { status, body: Buffer.from(body) });
    }),
  );
});

test("garbage in any pieces gives a response or a reason, and is read once", () => {
  const token = fc.constantFrom(
    "HTTP/1.1 200 OK\r\n",
    "Content-Length: 3\r\n",
    "Transfer-Encoding: chunked\r\n",
    "\r\n",
    "3\r\n",
    "abc",
    "0\r\n",
    "\n",
    "\r",
    ":",
    "HTTP/1.0 100 C\r\n\r\n",
  );
  const garbage = fc.array(fc.oneof(token.map(bytes), fc.uint8Array({ maxLength: 20 })), { maxLength: 30 });
  const outcome = (pieces: readonly Uint8Array[]) => {
    try {
      const { status, body } = read(pieces) as HttpResponse;
      return `${status} ${Buffer.from(body).toString("hex")}`;
    } catch (error) {
      assert.ok(error instanceof SyntaxError || error instanceof TruncatedError, String(error));
      return String(error);
    }
  };
  fc.assert(
    fc.property(garbage, fc.array(fc.nat(), { maxLength: 20 }), (pieces, places) => {
      const whole = Buffer.concat(pieces);
      assert.equal(outcome(cut(whole, places)), outcome([whole]));
    }),
    { numRuns: 500 },
  );
});

test("a body of megabytes in small pieces takes time in proportion to its length", () => {
  const size = 8 * 1024 * 1024;
  const reader = createResponseReader({ maxBody: size });
  reader.push(bytes(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`));
  const piece = new Uint8Array(512);
  let found: HttpResponse | undefined;
  const started = performance.now();
  for (let sent = 0; sent < size; sent += piece.length) found = reader.push(piece);
  assert.equal(found?.body.length, size);
  assert.ok(performance.now() - started < 2000);
});
