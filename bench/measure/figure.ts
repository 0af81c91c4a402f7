import type { BudgetId } from "../budgets.ts";
import { judge, type Verdict } from "../budgets.ts";
import type { Rounds } from "./rounds.ts";

/** How a figure compares with another one of the same run. */
export interface Comparison {
  /** Name of the other figure. */
  readonly against: string;
  readonly ratio: number;
  readonly spread: number;
}

/** One line of the table. */
export interface Figure {
  readonly name: string;
  /** Whose it is: ours, or of a limit or peer that was measured beside it. */
  readonly of: "coil" | "limit" | "peer";
  readonly unit: string;
  /** The median, as a rule. */
  readonly value: number;
  readonly p99?: number;
  /** Noise: half of the middle half's width between rounds, as a share of the value. */
  readonly spread?: number;
  readonly samples?: number;
  readonly comparisons?: readonly Comparison[];
  readonly verdicts?: readonly Verdict[];
}

/** What a figure is made of besides its series. */
export interface FigureOptions {
  readonly of?: Figure["of"];
  readonly unit?: string;
  /** Names of other contestants of the same rounds. */
  readonly against?: readonly string[];
  /** A budget, and against whom; without that the value itself is judged. */
  readonly budget?: { readonly id: BudgetId; readonly against?: string };
}

/** The figure of one contestant, under its own name. */
export function figureOf(rounds: Rounds, name: string, options: FigureOptions = {}): Figure {
  const { of = "coil", unit = "ms", against = [], budget } = options;
  const { median, p99, spread, samples } = rounds.series(name);
  const compared = [...new Set([...against, ...(budget?.against ? [budget.against] : [])])];
  const comparisons = compared.map((other) => {
    const ratio = rounds.ratio(name, other);
    return { against: other, ratio: ratio.value, spread: ratio.spread };
  });
  const judged = budget && judge(budget.id, budget.against ? rounds.ratio(name, budget.against).value : median);
  return {
    ...{ name, of, unit, value: median, p99, spread, samples, comparisons },
    ...(judged && { verdicts: [judged] }),
  };
}

/** A number that was read, not sampled. */
export function plainFigure(
  name: string,
  value: number,
  options: Omit<Partial<Figure>, "name" | "value"> & { unit: string },
): Figure {
  return { name, of: "coil", value, ...options };
}
