/** Chance that can be had again: `seed` from the environment variable TEST_SEED, or a new one, which the test prints. */
export interface Random {
  readonly seed: number;
  /** From 0 to below `limit`. */
  integer(limit: number): number;
  /** The items in another order. */
  shuffle<T>(items: readonly T[]): T[];
}

/** Mulberry32. */
export function createRandom(seed = Number(process.env["TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 32))): Random {
  let state = seed >>> 0;
  function integer(limit: number): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }
  return {
    seed,
    integer,
    shuffle(items) {
      const rest = [...items];
      return items.flatMap(() => rest.splice(integer(rest.length), 1));
    },
  };
}
