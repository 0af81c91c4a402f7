import { type BudgetId, judge } from "../budgets.ts";
import type { Figure } from "../measure/figure.ts";
import type { Rounds } from "../measure/rounds.ts";

/** Milliseconds for `count` things as things a second; `against` took as many. */
export function rateFigure(
  rounds: Rounds,
  name: string,
  count: number,
  {
    against,
    of = "coil",
    unit = "pods/s",
    budget,
  }: { against?: string; of?: Figure["of"]; unit?: string; budget?: BudgetId } = {},
): Figure {
  const { median, spread, samples } = rounds.series(name);
  const value = (count * 1000) / median;
  const ratio = against === undefined ? undefined : rounds.ratio(against, name);
  return {
    ...{ name, of, unit, value, spread, samples },
    ...(against !== undefined && ratio && { comparisons: [{ against, ratio: ratio.value, spread: ratio.spread }] }),
    ...(budget && { verdicts: [judge(budget, value)] }),
  };
}
