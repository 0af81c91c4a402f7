import * as os from "quickjs:os";
import { errnoName } from "quickjs:socket";
import * as std from "quickjs:std";
import { SystemError } from "../../src/rpc/system-error.ts";

const CHUNK = 64 * 1024;

/** The result of a function of QuickJS's `os`. Throws `SystemError` if it is a negative errno. */
export function check(result: number, what: string): number {
  if (result >= 0) return result;
  const code = errnoName(-result);
  // What SO_RCVTIMEO and SO_SNDTIMEO answer.
  if (code === "EAGAIN") throw new SystemError("ETIMEDOUT", `${what}: timed out`);
  throw new SystemError(code, `${what}: ${std.strerror(-result)}`);
}

/** Reads what is there, waiting for the first byte; undefined at the end. Throws `SystemError`. */
export function readSome(fd: number, what: string): Uint8Array | undefined {
  const buffer = new ArrayBuffer(CHUNK);
  const length = check(os.read(fd, buffer, 0, CHUNK), what);
  return length === 0 ? undefined : new Uint8Array(buffer, 0, length);
}

/** Writes all of it; `before` is called ahead of every write. Throws `SystemError`. */
export function writeAll(fd: number, bytes: Uint8Array<ArrayBuffer>, what: string, before?: () => void): void {
  for (let done = 0; done < bytes.length; ) {
    before?.();
    done += check(os.write(fd, bytes.buffer, bytes.byteOffset + done, bytes.length - done), what);
  }
}
