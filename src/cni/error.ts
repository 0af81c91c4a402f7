/** Error codes of the CNI specification 1.1.0, section "Error". Below 100 they are the specification's, 999 is libcni's. */
export const CNI_ERROR = {
  incompatibleVersion: 1,
  unsupportedField: 2,
  unknownContainer: 3,
  invalidEnvironment: 4,
  ioFailure: 5,
  decodingFailure: 6,
  invalidNetworkConfig: 7,
  invalidNetns: 8,
  tryAgainLater: 11,
  notAvailable: 50,
  limitedConnectivity: 51,
  internal: 999,
} as const;

/** A failure as the container runtime gets to see it. Branch on `code`. */
export class CniError extends Error {
  override readonly name = "CniError";
  readonly code: number;
  readonly details: string | undefined;

  /** `code` is one of {@link CNI_ERROR}; `message` names what failed, `details` what to look at. */
  constructor(code: number, message: string, options: { details?: string | undefined; cause?: unknown } = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.details = options.details;
  }
}

/** An error as it goes over the wire: to the runtime on stdout (with `cniVersion`) and from coild (without). */
export interface CniErrorBody {
  readonly code: number;
  readonly msg: string;
  readonly details?: string;
}

/** The wire form of any error. What is not a {@link CniError} is `internal`. */
export function cniErrorBody(error: unknown): CniErrorBody {
  if (!(error instanceof CniError))
    return { code: CNI_ERROR.internal, msg: error instanceof Error ? error.message : String(error) };
  const body = { code: error.code, msg: error.message };
  return error.details === undefined ? body : { ...body, details: error.details };
}
