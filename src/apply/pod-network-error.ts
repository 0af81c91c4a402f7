/** Why a pod's network could not be made; stable, for callers to branch on. */
export type PodNetworkErrorCode =
  /** The pod already has an interface of that name that is none of ours. */
  | "interface-exists"
  /** There is no namespace at the path. */
  | "namespace-gone"
  /** The path leads to something else. */
  | "not-a-namespace"
  /** The path leads to the node's own namespace. */
  | "host-namespace"
  /** Another link of this node has the address. It must not be given away again before that is cleared up. */
  | "address-in-use"
  /** What was asked for cannot be written down in the kernel. */
  | "invalid-attachment"
  /** The kernel refused; `cause` is its `KernelError`. */
  | "kernel";

/** A pod's network could not be made. All that was made of it is gone again, unless `leftBehind`. */
export class PodNetworkError extends Error {
  override readonly name = "PodNetworkError";
  readonly code: PodNetworkErrorCode;
  /** The half-made link could not be removed. It is tried again; `onGone` tells when the address is free. */
  readonly leftBehind: boolean;

  constructor(code: PodNetworkErrorCode, message: string, options: { cause?: unknown; leftBehind?: boolean } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.leftBehind = options.leftBehind ?? false;
  }
}
