import type { Figure } from "../measure/figure.ts";
import type { Machine } from "../measure/machine.ts";

/** What one group came to. */
export interface GroupResult {
  readonly name: string;
  readonly title: string;
  readonly seconds: number;
  readonly figures: readonly Figure[];
}

/** What a run came to: the content of the JSON file. */
export interface BenchResult {
  /** When it began, ISO 8601. */
  readonly at: string;
  readonly machine: Machine;
  readonly groups: readonly GroupResult[];
}
