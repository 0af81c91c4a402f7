/** Time as a parameter. */
export interface Clock {
  /** Milliseconds of a clock that never jumps, also when the wall clock is set; only differences mean something. */
  now(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted first. */
  sleep(ms: number, options: { signal: AbortSignal }): Promise<void>;
}

/** Time as it passes. A sleeping program that has nothing else to do stays alive. */
export const realClock: Clock = {
  now: () => performance.now(),
  sleep(ms, { signal }) {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const onAbort = () => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      }, ms);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  },
};
