/** Runs jobs one after the other, in the order in which they came. */
export interface SerialQueue {
  /**
   * Rejects with the signal's reason when it is aborted before the job's turn; later the job has to look at the signal itself.
   */
  run<T>(job: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /**
   * Refuses new jobs and rejects the waiting ones with a `reason` each; `then` is called when the running one, if any, has ended.
   */
  close(reason: () => Error, then: () => void): void;
}

interface Waiting {
  readonly start: () => void;
  readonly refuse: (reason: unknown) => void;
}

/** A queue without a job. */
export function createSerialQueue(): SerialQueue {
  const waiting = new Set<Waiting>();
  let busy = false;
  let closed: { readonly reason: () => Error; readonly then: () => void } | undefined;

  function next(): void {
    busy = false;
    const [first] = waiting;
    if (first) {
      waiting.delete(first);
      busy = true;
      first.start();
    } else {
      closed?.then();
    }
  }

  function turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => entry.refuse(signal?.reason);
      const entry: Waiting = {
        start() {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
        refuse(reason) {
          signal?.removeEventListener("abort", onAbort);
          waiting.delete(entry);
          reject(reason);
        },
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      waiting.add(entry);
    });
  }

  return {
    async run(job, signal) {
      signal?.throwIfAborted();
      if (closed) throw closed.reason();
      if (busy) await turn(signal);
      busy = true;
      try {
        return await job();
      } finally {
        next();
      }
    },
    close(reason, then) {
      if (closed) return;
      closed = { reason, then };
      for (const entry of [...waiting]) entry.refuse(reason());
      if (!busy) then();
    },
  };
}
