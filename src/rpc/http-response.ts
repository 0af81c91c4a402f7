import { createInputBuffer, type InputBuffer } from "./input-buffer.ts";

/** An answer as it came: the body is not decoded. */
export interface HttpResponse {
  readonly status: number;
  readonly body: Uint8Array;
}

/** Reads one HTTP/1.x response out of pieces of any size. Both methods throw `SyntaxError` for what is no such response. */
export interface ResponseReader {
  /** Takes the next piece; the response once it is complete. What follows a complete response is ignored. */
  push(bytes: Uint8Array): HttpResponse | undefined;
  /** The connection ended: the response if that completes it. Throws {@link TruncatedError} if something is missing. */
  end(): HttpResponse;
}

/** The connection ended before the response did. */
export class TruncatedError extends Error {
  override readonly name = "TruncatedError";
}

const MAX_LINE = 16 * 1024;
const MAX_HEADERS = 100;

/** A reader for one response whose body has at most `maxBody` bytes. */
export function createResponseReader({ maxBody }: { maxBody: number }): ResponseReader {
  const input = createInputBuffer(MAX_LINE);
  const parser = parseResponse(input, maxBody);
  let done: HttpResponse | undefined;
  const advance = (): HttpResponse | undefined => {
    if (!done) done = parser.next().value ?? undefined;
    return done;
  };
  return {
    push(bytes) {
      if (done) return done;
      input.push(bytes);
      return advance();
    },
    end() {
      input.end();
      const response = advance();
      if (!response) throw new TruncatedError("the connection ended in the middle of the answer");
      return response;
    },
  };
}

/** Yields whenever it needs more input; returns the response. */
type Step<T> = Generator<undefined, T, undefined>;

function* parseResponse(input: InputBuffer, maxBody: number): Step<HttpResponse> {
  for (;;) {
    const status = parseStatusLine(yield* readLine(input));
    const headers = yield* readHeaders(input);
    if (status >= 100 && status < 200) continue;
    const body = status === 204 || status === 304 ? new Uint8Array() : yield* readBody(input, headers, maxBody);
    return { status, body };
  }
}

function parseStatusLine(line: string): number {
  const match = /^HTTP\/1\.[01] ([1-9][0-9][0-9])(?: .*)?$/.exec(line);
  if (!match) throw new SyntaxError(`not an HTTP response: it begins with ${JSON.stringify(line.slice(0, 40))}`);
  return Number(match[1]);
}

function* readHeaders(input: InputBuffer): Step<Map<string, string>> {
  const headers = new Map<string, string>();
  for (let count = 0; ; count++) {
    const line = yield* readLine(input);
    if (line === "") return headers;
    if (count >= MAX_HEADERS) throw new SyntaxError(`more than ${MAX_HEADERS} header lines`);
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line);
    if (!match) throw new SyntaxError(`malformed header line ${JSON.stringify(line.slice(0, 40))}`);
    const name = (match[1] as string).toLowerCase();
    const value = match[2] as string;
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
}

function* readBody(input: InputBuffer, headers: Map<string, string>, maxBody: number): Step<Uint8Array> {
  const coding = headers.get("transfer-encoding");
  if (coding !== undefined) {
    if (coding.toLowerCase() !== "chunked")
      throw new SyntaxError(`unknown transfer coding ${JSON.stringify(coding.slice(0, 40))}`);
    return yield* readChunked(input, maxBody);
  }
  const length = headers.get("content-length");
  if (length === undefined) return yield* readUntilEnd(input, maxBody);
  // The same length twice is allowed (RFC 9110, 8.6).
  const lengths = new Set(length.split(",").map((text) => text.trim()));
  if (lengths.size !== 1 || !/^[0-9]{1,15}$/.test([...lengths][0] as string)) {
    throw new SyntaxError(`malformed content length ${JSON.stringify(length.slice(0, 40))}`);
  }
  return yield* readExactly(input, requireSize(Number([...lengths][0]), maxBody));
}

function* readChunked(input: InputBuffer, maxBody: number): Step<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const line = yield* readLine(input);
    const match = /^([0-9a-fA-F]{1,12})[ \t]*(?:;.*)?$/.exec(line);
    if (!match) throw new SyntaxError(`malformed chunk size ${JSON.stringify(line.slice(0, 40))}`);
    const size = Number.parseInt(match[1] as string, 16);
    if (size === 0) break;
    total = requireSize(total + size, maxBody);
    chunks.push(yield* readExactly(input, size));
    if ((yield* readLine(input)) !== "") throw new SyntaxError("a chunk is longer than it says");
  }
  yield* readHeaders(input);
  return concatenate(chunks, total);
}

function* readUntilEnd(input: InputBuffer, maxBody: number): Step<Uint8Array> {
  while (!input.ended) {
    requireSize(input.length, maxBody);
    yield;
  }
  return input.take(requireSize(input.length, maxBody));
}

function* readExactly(input: InputBuffer, size: number): Step<Uint8Array> {
  while (input.length < size) yield;
  return input.take(size);
}

function* readLine(input: InputBuffer): Step<string> {
  for (;;) {
    const line = input.takeLine();
    if (line !== undefined) return line;
    yield;
  }
}

function requireSize(size: number, maxBody: number): number {
  if (size > maxBody) throw new SyntaxError(`a body of more than ${maxBody} bytes`);
  return size;
}

function concatenate(chunks: readonly Uint8Array[], total: number): Uint8Array {
  const bytes = new Uint8Array(total);
  let end = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, end);
    end += chunk.length;
  }
  return bytes;
}
