/** Permits by key: one holder at a time each, in the order in which they asked. */
export interface KeyLocks {
  /** Waits for the permit of `key`; disposing gives it back. Rejects with `signal.reason` when aborted while waiting. */
  acquire(key: string, options?: { signal?: AbortSignal | undefined }): Promise<Disposable>;
}

/** Locks that take memory only for keys that are held. */
export function createKeyLocks(): KeyLocks {
  // The waiters of each held key.
  const held = new Map<string, (() => void)[]>();

  function release(key: string): void {
    const next = held.get(key)?.shift();
    if (next) next();
    else held.delete(key);
  }

  function permit(key: string): Disposable {
    let released = false;
    return {
      [Symbol.dispose]() {
        if (!released) release(key);
        released = true;
      },
    };
  }

  return {
    async acquire(key, { signal } = {}) {
      signal?.throwIfAborted();
      const waiters = held.get(key);
      if (!waiters) {
        held.set(key, []);
        return permit(key);
      }
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const leave = () => {
        const place = waiters.indexOf(resolve);
        // Not in the queue any more: the permit has just been handed over, and is given back by whoever awaits it.
        if (place >= 0) waiters.splice(place, 1);
        reject(signal?.reason);
      };
      waiters.push(resolve);
      signal?.addEventListener("abort", leave, { once: true });
      try {
        await promise;
        return permit(key);
      } finally {
        signal?.removeEventListener("abort", leave);
      }
    },
  };
}
