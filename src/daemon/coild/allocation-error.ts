/** Why no address was given; stable, for metrics and for callers to branch on. */
export type AllocationErrorCode =
  /** There is no such pool. */
  | "unknown-pool"
  /** The pool is being deleted. */
  | "pool-terminating"
  /** The controller refused a block, because there is none or for another reason that `message` tells. */
  | "no-block"
  /** Nobody answered in time. */
  | "timeout"
  /** The API server refused the request for a block. */
  | "api"
  /** The Node object of this node is gone. */
  | "node-gone";

/** No address was given. `message` is the reason alone, for sentences that name pod and pool. */
export class AllocationError extends Error {
  override readonly name = "AllocationError";
  readonly code: AllocationErrorCode;

  constructor(code: AllocationErrorCode, reason: string, options: { cause?: unknown } = {}) {
    super(reason, options);
    this.code = code;
  }
}
