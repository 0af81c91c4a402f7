import { ApiError, type KubeStatus } from "./api-error.ts";
import type { KubeObject } from "./object.ts";

/** One change of the watched objects. */
export type WatchEvent<T extends KubeObject> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: T }
  /** Everything up to this version has been told. `initialEnd` says that all objects that existed at the start have been told. */
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string; readonly initialEnd: boolean };

const INITIAL_END = "k8s.io/initial-events-end";

interface RawEvent {
  readonly type: string;
  readonly object: KubeObject & KubeStatus;
}

/** Reads one line of a watch. Throws `ApiError` for an event of type ERROR, `SyntaxError` for what is no event. */
export function parseWatchEvent<T extends KubeObject>(what: string, line: string): WatchEvent<T> {
  const { type, object } = JSON.parse(line) as RawEvent;
  switch (type) {
    case "ADDED":
    case "MODIFIED":
    case "DELETED":
      return { type, object: object as KubeObject as T };
    case "BOOKMARK": {
      const { resourceVersion = "", annotations } = object.metadata;
      return { type, resourceVersion, initialEnd: annotations?.[INITIAL_END] === "true" };
    }
    case "ERROR":
      throw new ApiError(what, { ...object, code: object.code ?? 500 });
    default:
      throw new SyntaxError(`${what}: unknown event type ${JSON.stringify(type)}`);
  }
}
