import { median, quantile, spread } from "./statistics.ts";

/** One of those that are compared. */
export interface Contestant {
  /** Takes the samples of one round, by the name of what was measured. */
  run(round: number): Promise<ReadonlyMap<string, readonly number[]>>;
}

/** What came of one name. */
export interface Series {
  readonly rounds: readonly (readonly number[])[];
  /** Of all samples. */
  readonly median: number;
  readonly p99: number;
  /** Of the rounds' medians: the noise between rounds. */
  readonly spread: number;
  readonly samples: number;
}

/** Two contestants compared within each round, so that what disturbs both does not count. */
export interface Ratio {
  /** Median of the rounds' ratios. */
  readonly value: number;
  readonly spread: number;
}

/** What came of all rounds. */
export interface Rounds {
  /** Throws `RangeError` for a name that was not measured. */
  series(name: string): Series;
  ratio(name: string, against: string): Ratio;
}

export interface RoundOptions {
  readonly rounds: number;
  /** Rounds before, which do not count. Default 1. */
  readonly warmUp?: number;
}

/** Lets the contestants run in turns, another one first in each round. */
export async function interleave(contestants: readonly Contestant[], { rounds, warmUp = 1 }: RoundOptions): Promise<Rounds> {
  const samples = new Map<string, (readonly number[])[]>();
  for (let round = -warmUp; round < rounds; round++) {
    for (let i = 0; i < contestants.length; i++) {
      const taken = await (contestants[(i + round + warmUp) % contestants.length] as Contestant).run(round);
      if (round < 0) continue;
      for (const [name, list] of taken) samples.set(name, [...(samples.get(name) ?? []), list]);
    }
  }
  return roundsOf(samples);
}

/** Rounds that were measured in another way. */
export function roundsOf(samples: ReadonlyMap<string, readonly (readonly number[])[]>): Rounds {
  const of = (name: string) => {
    const found = samples.get(name);
    if (!found) throw new RangeError(`Nothing was measured of ${JSON.stringify(name)}`);
    return found;
  };
  return {
    series(name) {
      const rounds = of(name);
      const all = rounds.flat();
      const medians = rounds.map((round) => median(round));
      return { rounds, median: median(all), p99: quantile(all, 0.99), spread: spread(medians), samples: all.length };
    },
    ratio(name, against) {
      const others = of(against);
      const ratios = of(name).map((round, i) => median(round) / median(others[i] as readonly number[]));
      return { value: median(ratios), spread: spread(ratios) };
    },
  };
}
