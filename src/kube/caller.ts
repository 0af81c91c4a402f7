import { apiErrorFrom } from "./api-error.ts";
import type { CallOptions } from "./options.ts";
import type { Session } from "./session.ts";
import type { HttpAnswer } from "./transport.ts";

const JSON_TYPE = "application/json";
export const ACCEPT_JSON = JSON_TYPE;
export const ACCEPT_METADATA = `${JSON_TYPE};as=PartialObjectMetadata;g=meta.k8s.io;v=v1`;
export const ACCEPT_METADATA_LIST = `${JSON_TYPE};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1`;

export interface CallContent {
  readonly accept?: string;
  /** Sent as JSON unless undefined. */
  readonly body?: unknown;
  /** Default `application/json`. */
  readonly contentType?: string;
}

/** Calls that take and give JSON. */
export interface Caller {
  /** The answer of any status. */
  exchange(method: string, path: string, options: CallOptions, content?: CallContent): Promise<HttpAnswer>;
  /** The parsed answer of a success. Throws `ApiError` for the rest. */
  call<T>(method: string, path: string, options: CallOptions, content?: CallContent): Promise<T>;
}

export type Call = Caller["call"];

export function createCaller(session: Session): Caller {
  const exchange: Caller["exchange"] = async (method, path, { signal, timeoutMs }, { accept, body, contentType } = {}) => {
    signal.throwIfAborted();
    return session.exchange({
      method,
      path,
      accept: accept ?? ACCEPT_JSON,
      signal,
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(body !== undefined && { body: JSON.stringify(body), contentType: contentType ?? JSON_TYPE }),
    });
  };
  return {
    exchange,
    async call<T>(method: string, path: string, options: CallOptions, content?: CallContent) {
      const answer = await exchange(method, path, options, content);
      if (answer.status >= 200 && answer.status < 300) return JSON.parse(answer.body) as T;
      throw apiErrorFrom(`${method} ${path}`, { ...answer, retryAfter: answer.headers["retry-after"] });
    },
  };
}
