import type { RuleState } from "./host-state.ts";

/** The rule that makes the kernel look into the pods' table: `from all lookup <table>` at `priority`. */
export interface PodRule {
  readonly priority: number;
  readonly table: number;
}

/** What rules of one family mean for ours. */
export interface RuleFinding<R extends RuleState> {
  readonly present: boolean;
  /** Rules of others at our priority. They stay, and are told: ours may come after them. */
  readonly foreign: readonly R[];
}

/** Ours is known by priority, table and the absence of selectors; any other rule at the priority is somebody else's. */
export function findPodRule<R extends RuleState>(rules: readonly R[], wanted: PodRule): RuleFinding<R> {
  const isOurs = (rule: RuleState) => rule.plain && rule.table === wanted.table;
  const atPriority = rules.filter((rule) => rule.priority === wanted.priority);
  return { present: atPriority.some(isOurs), foreign: atPriority.filter((rule) => !isOurs(rule)) };
}
