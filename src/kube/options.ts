/** Given with every call. */
export interface CallOptions {
  readonly signal: AbortSignal;
  /** For one attempt, milliseconds. Default 30 s. */
  readonly timeoutMs?: number;
}

export interface ReadOptions extends CallOptions {
  /** Ask the server for `metadata` alone. */
  readonly metadataOnly?: boolean;
}

/** Which objects of a resource. */
export interface Selection {
  /** All namespaces when absent. */
  readonly namespace?: string;
  /** As `kubectl -l`. */
  readonly labelSelector?: string;
  /** As `kubectl --field-selector`. */
  readonly fieldSelector?: string;
}

export interface ListOptions extends ReadOptions {
  /** Objects in one answer. Default 500. */
  readonly pageSize?: number;
}

export interface ObjectList<T> {
  readonly items: T[];
  /** Where a watch takes over. */
  readonly resourceVersion: string;
}

export interface WatchSelection extends Selection {
  /** Changes after this version. Without it the server begins somewhere and tells existing objects as added. */
  readonly resourceVersion?: string;
  /** Tell all existing objects first, consistently, and then a bookmark with `initialEnd` (Kubernetes 1.32 and later). */
  readonly sendInitialEvents?: boolean;
}

export interface WatchOptions extends ReadOptions {
  /**
   * Longest silence before the watch is given up, milliseconds. Default 150 s: the server sends
   * bookmarks once a minute, but the first one up to two minutes after the start.
   */
  readonly idleTimeoutMs?: number;
  /** How long the server keeps the watch, seconds. Default 300 to 600 at random, so that the watches of many nodes do not end together. */
  readonly durationS?: number;
  /** Called for each piece that arrives. */
  readonly onActivity?: () => void;
}

export interface DeleteOptions extends CallOptions {
  /** Refuse (409 `Conflict`) when the object of this name is another one. */
  readonly uid?: string;
  /** Refuse (409 `Conflict`) when the object has changed since. */
  readonly resourceVersion?: string;
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: "Orphan" | "Background" | "Foreground";
}
