/** Growing waits between failures. */
export interface BackoffOptions {
  /** First wait, milliseconds. */
  readonly baseMs: number;
  /** Longest wait before jitter, milliseconds. */
  readonly maxMs: number;
  /** Share by which a wait is lengthened or shortened at random, 0 to 1. Default 0.5. */
  readonly jitter?: number;
}

/** The wait before attempt `failures + 1`: doubled each time up to the maximum, then spread so that clients do not march in step. */
export function backoffMs({ baseMs, maxMs, jitter = 0.5 }: BackoffOptions, failures: number, random = Math.random): number {
  const wait = Math.min(maxMs, baseMs * 2 ** Math.min(Math.max(failures - 1, 0), 30));
  return wait * (1 + jitter * (2 * random() - 1));
}
