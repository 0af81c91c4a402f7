/** Calls under way by key, so that one can end the others. */
export interface InFlight {
  /**
   * Enters a call. Its signal follows `signal`, and is aborted by {@link abort} as well. Disposing leaves.
   */
  enter(key: string, signal: AbortSignal): Disposable & { readonly signal: AbortSignal };
  /** Aborts all calls of the key. */
  abort(key: string, reason: Error): void;
  abortAll(reason: Error): void;
  has(key: string): boolean;
}

/** Nothing under way. */
export function createInFlight(): InFlight {
  const calls = new Map<string, Set<AbortController>>();
  return {
    enter(key, signal) {
      const controller = new AbortController();
      const follow = () => controller.abort(signal.reason);
      if (signal.aborted) follow();
      signal.addEventListener("abort", follow, { once: true });
      const ofKey = calls.get(key) ?? new Set();
      calls.set(key, ofKey.add(controller));
      return {
        signal: controller.signal,
        [Symbol.dispose]() {
          signal.removeEventListener("abort", follow);
          ofKey.delete(controller);
          if (ofKey.size === 0 && calls.get(key) === ofKey) calls.delete(key);
        },
      };
    },
    abort(key, reason) {
      for (const controller of calls.get(key) ?? []) controller.abort(reason);
    },
    abortAll(reason) {
      for (const ofKey of calls.values()) for (const controller of ofKey) controller.abort(reason);
    },
    has: (key) => calls.has(key),
  };
}
