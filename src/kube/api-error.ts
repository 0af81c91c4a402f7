/** The API server's own report of a failure, kind `Status`. */
export interface KubeStatus {
  kind?: string;
  code?: number;
  reason?: string;
  message?: string;
  details?: StatusDetails;
  metadata?: { continue?: string };
}

/** What the server says about the object and the fields that it refused. */
export interface StatusDetails {
  name?: string;
  kind?: string;
  uid?: string;
  causes?: { reason?: string; message?: string; field?: string }[];
  retryAfterSeconds?: number;
}

/** Reasons that callers branch on; the server may give others. */
export type ApiReason =
  | "AlreadyExists"
  | "BadRequest"
  | "Conflict"
  | "Expired"
  | "Forbidden"
  | "Gone"
  | "Invalid"
  | "NotFound"
  | "TooManyRequests"
  | "Unauthorized";

/** The API server answered, and the answer is a refusal. */
export class ApiError extends Error {
  readonly code = "ERR_KUBE_API";
  /** HTTP status, 400 to 599. */
  readonly status: number;
  /** Machine-readable cause, for example `Conflict`; may be empty. */
  readonly reason: string;
  /** Seconds to wait before another attempt, if the server named them. */
  readonly retryAfter?: number;
  readonly details?: StatusDetails;

  constructor(request: string, status: KubeStatus & { code: number }, retryAfter?: number) {
    super(`${request}: ${status.message ?? `HTTP status ${status.code}`}`);
    this.name = "ApiError";
    this.status = status.code;
    this.reason = status.reason ?? "";
    const seconds = retryAfter ?? status.details?.retryAfterSeconds;
    if (seconds !== undefined) this.retryAfter = seconds;
    if (status.details) this.details = status.details;
  }
}

/** No answer: the server cannot be reached, went away, or took too long. Whether it acted on the request is unknown. */
export class ConnectionError extends Error {
  /** `ETIMEDOUT` when our time-out ended it, else the code of the socket or of TLS, for example `ECONNREFUSED`. */
  readonly code: string;

  constructor(request: string, code: string, cause?: unknown) {
    const why = cause instanceof Error ? cause.message : code;
    super(`${request}: ${why}`, cause === undefined ? {} : { cause });
    this.name = "ConnectionError";
    this.code = code;
  }
}

/** Whether the server refused with one of these reasons. */
export function isApiError(error: unknown, ...reasons: ApiReason[]): error is ApiError {
  return error instanceof ApiError && (reasons.length === 0 || (reasons as string[]).includes(error.reason));
}

/** Whether a resource version is no longer (or not yet) known to the server, so that a new list is needed. */
export function isStaleVersion(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  if (error.status === 410 || error.reason === "Expired" || error.reason === "Gone") return true;
  return error.details?.causes?.some((cause) => cause.reason === "ResourceVersionTooLarge") ?? false;
}

/** The error of an answer that is not a success. Bodies that are no `Status`, as of proxies, become the message. */
export function apiErrorFrom(
  request: string,
  answer: { status: number; body: string; retryAfter?: string | undefined },
): ApiError {
  const seconds = Number(answer.retryAfter ?? Number.NaN);
  const status = parseStatus(answer.body);
  const text = answer.body.trim().slice(0, 500);
  const fallback = text === "" ? {} : { message: text };
  return new ApiError(request, { ...(status ?? fallback), code: answer.status }, Number.isFinite(seconds) ? seconds : undefined);
}

function parseStatus(body: string): KubeStatus | undefined {
  try {
    const value = JSON.parse(body) as KubeStatus | null;
    return value?.kind === "Status" ? value : undefined;
  } catch {
    return undefined;
  }
}
