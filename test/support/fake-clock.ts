/** Time that moves only when a test says so. */
export interface FakeClock {
  now(): number;
  sleep(ms: number, options: { signal: AbortSignal }): Promise<void>;
  /** Moves the time, waking sleepers in the order of their times; what they start runs before the next one wakes. */
  advance(ms: number): Promise<void>;
  readonly sleepers: number;
}

interface Sleeper {
  readonly due: number;
  readonly wake: () => void;
}

/** Starts at `start` milliseconds. */
export function createFakeClock(start = 0): FakeClock {
  const sleepers = new Set<Sleeper>();
  let now = start;
  const next = (until: number): Sleeper | undefined => {
    let first: Sleeper | undefined;
    for (const sleeper of sleepers) if (sleeper.due <= until && (!first || sleeper.due < first.due)) first = sleeper;
    return first;
  };
  return {
    now: () => now,
    sleep(ms, { signal }) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const onAbort = () => {
          sleepers.delete(sleeper);
          reject(signal.reason);
        };
        const sleeper: Sleeper = {
          due: now + ms,
          wake() {
            sleepers.delete(sleeper);
            signal.removeEventListener("abort", onAbort);
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal.addEventListener("abort", onAbort, { once: true });
      });
    },
    async advance(ms) {
      const until = now + ms;
      await settle();
      for (let sleeper = next(until); sleeper; sleeper = next(until)) {
        now = Math.max(now, sleeper.due);
        sleeper.wake();
        await settle();
      }
      now = until;
    },
    get sleepers() {
      return sleepers.size;
    },
  };
}

/** Lets everything that can run without time passing do so. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
