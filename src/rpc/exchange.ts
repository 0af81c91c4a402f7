import { createResponseReader, type HttpResponse } from "./http-response.ts";
import { SystemError } from "./system-error.ts";

/** One open connection. A failed operation throws {@link SystemError}; a timed-out one with code `ETIMEDOUT`. Times are in milliseconds. */
export interface Connection {
  /** Sends all of it. */
  send(bytes: Uint8Array<ArrayBuffer>, timeoutMs: number): Promise<void>;
  /** What comes next, at least one byte; undefined at the end. */
  receive(timeoutMs: number): Promise<Uint8Array | undefined>;
  close(): void;
}

/** Milliseconds that are left. Throws {@link SystemError} `ETIMEDOUT` when none are. */
export type TimeLeft = () => number;

/** The time left of `timeoutMs`, on a clock that does not jump. */
export function timeLeft(timeoutMs: number, clock: () => number): TimeLeft {
  const end = clock() + timeoutMs;
  return () => {
    const left = Math.ceil(end - clock());
    if (left <= 0) throw new SystemError("ETIMEDOUT", "timed out");
    return left;
  };
}

/** Largest answer that is read: a result with thousands of routes has a few hundred kilobytes. */
const MAX_BODY = 16 * 1024 * 1024;

/** Sends a request and reads its response. Throws as {@link Connection}, and as the reader of responses. */
export async function exchange(connection: Connection, request: Uint8Array<ArrayBuffer>, left: TimeLeft): Promise<HttpResponse> {
  const reader = createResponseReader({ maxBody: MAX_BODY });
  let refused: unknown;
  try {
    await connection.send(request, left());
  } catch (error) {
    if (!(error instanceof SystemError) || error.code === "ETIMEDOUT") throw error;
    // A server may answer and close without having read everything: its answer tells more than the broken pipe.
    refused = error;
  }
  try {
    for (;;) {
      const bytes = await connection.receive(left());
      const response = bytes ? reader.push(bytes) : reader.end();
      if (response) return response;
    }
  } catch (error) {
    throw refused ?? error;
  }
}
