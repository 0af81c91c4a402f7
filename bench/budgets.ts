/**
 * What the product may cost. Where a budget is a ratio, both figures come from the same run, because machines differ. The reasons
 * are in docs/performance.md.
 */
export const BUDGETS = {
  "plugin-start": { text: "≤ 0.5 × the start of a plugin in Go", atMost: 0.5 },
  "warm-add": { text: "≤ 1.5 × the kernel's own cost of the same operations", atMost: 1.5 },
  "warm-add-calls": { text: "no API call", atMost: 0 },
  "dual-add": { text: "≤ 1.2 × IPv4", atMost: 1.2 },
  "adds-at-once": { text: "≥ 900 pods/s with 50 at once", atLeast: 900 },
  "dels-at-once": { text: "50 DELs ≤ 100 ms", atMost: 100 },
  "rest-memory": { text: "≤ 70 MB resident at rest", atMost: 70 },
  "rest-cpu": { text: "< 1 % of a CPU at rest", atMost: 1 },
  grants: { text: "≥ 1,000 grants/s, or the API server's own limit", atLeast: 1000 },
} as const satisfies Record<string, { readonly text: string; readonly atMost?: number; readonly atLeast?: number }>;

export type BudgetId = keyof typeof BUDGETS;

/** Whether a budget was kept. */
export interface Verdict {
  readonly budget: BudgetId;
  readonly text: string;
  /** What was compared with the budget. */
  readonly value: number;
  readonly met: boolean;
}

/** Compares a value with a budget. */
export function judge(budget: BudgetId, value: number): Verdict {
  const entry: { text: string; atMost?: number; atLeast?: number } = BUDGETS[budget];
  const met = value <= (entry.atMost ?? Number.POSITIVE_INFINITY) && value >= (entry.atLeast ?? Number.NEGATIVE_INFINITY);
  return { budget, text: entry.text, value, met };
}
