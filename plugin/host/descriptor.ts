import * as os from "quickjs:os";
import { errnoName } from "quickjs:socket";
import * as std from "quickjs:std";
import { SystemError } from "../../src/rpc/system-error.ts";

const READ_SIZE = 64 * 1024;

/** A longer write to a UNIX socket may wait several times the socket's time-out: the kernel cuts it into pieces and waits for each. */
const WRITE_SIZE = 16 * 1024;

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
  const buffer = new ArrayBuffer(READ_SIZE);
  const length = check(os.read(fd, buffer, 0, READ_SIZE), what);
  return length === 0 ? undefined : new Uint8Array(buffer, 0, length);
}

/** Writes all of it; `before` is called ahead of every write. Throws `SystemError`. */
export function writeAll(fd: number, bytes: Uint8Array<ArrayBuffer>, what: string, before?: () => void): void {
  for (let done = 0; done < bytes.length; ) {
    before?.();
    const length = Math.min(WRITE_SIZE, bytes.length - done);
    done += check(os.write(fd, bytes.buffer, bytes.byteOffset + done, length), what);
  }
}
