import { getSystemErrorMessage } from "node:util";
import { errnoName } from "./syscall/errno.ts";

/** What a {@link KernelError} is made of. */
export interface KernelFailure {
  /** What was tried, as the end of a sentence: `add address 10.2.0.1/32 to link 7`. */
  readonly operation: string;
  /** The positive error number. */
  readonly errno: number;
  /** What the kernel said besides the number (extended acknowledgement). */
  readonly detail?: string | undefined;
  readonly cause?: unknown;
}

/** The kernel refused something. Callers branch on `code`. */
export class KernelError extends Error {
  override readonly name = "KernelError";
  readonly operation: string;
  /** The positive error number. */
  readonly errno: number;
  /** The error's name as in errno.h, `EEXIST`. */
  readonly code: string;
  /** What the kernel said besides the number. */
  declare readonly detail?: string;

  constructor(failure: KernelFailure) {
    const { operation, errno, detail, cause } = failure;
    const code = errnoName(errno);
    const said = detail === undefined ? "" : `: ${detail}`;
    super(`Cannot ${operation}: ${getSystemErrorMessage(-errno)} (${code})${said}`, cause === undefined ? {} : { cause });
    this.operation = operation;
    this.errno = errno;
    this.code = code;
    if (detail !== undefined) this.detail = detail;
  }
}

/** A failure of `node:fs` as a {@link KernelError}; anything else comes back as it is. */
export function kernelErrorFrom(operation: string, cause: unknown): unknown {
  if (cause instanceof KernelError || !(cause instanceof Error)) return cause;
  const { errno } = cause as NodeJS.ErrnoException;
  return typeof errno === "number" && errno < 0 ? new KernelError({ operation, errno: -errno, cause }) : cause;
}
