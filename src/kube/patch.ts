import { queryText } from "./query.ts";

/** A partial change of an object. */
export interface Patch {
  /** `merge`: RFC 7386. `json`: RFC 6902. `strategic`: only for built-in resources. `apply`: server-side apply. */
  readonly type: "merge" | "json" | "strategic" | "apply";
  readonly body: unknown;
  /** Owner of the changed fields; required by the server for `apply`. */
  readonly fieldManager?: string;
  /** For `apply`: take over fields that others own instead of 409 `Conflict`. */
  readonly force?: boolean;
  /** For example `status`. */
  readonly subresource?: string;
}

const TYPES = {
  merge: "application/merge-patch+json",
  json: "application/json-patch+json",
  strategic: "application/strategic-merge-patch+json",
  // JSON is YAML; servers before 1.34 know only this name.
  apply: "application/apply-patch+yaml",
} as const;

/** The content type of the request. */
export function patchType({ type }: Patch): string {
  return TYPES[type];
}

/** The query of the request's URL. */
export function patchQuery({ type, fieldManager, force }: Patch): string {
  return queryText({ fieldManager, ...(type === "apply" && force && { force }) });
}
