import { type Style, styleFor } from "../../lab/terminal/style.ts";
import type { Figure } from "../measure/figure.ts";
import type { GroupResult } from "./result.ts";

/** One group as a table for a terminal. */
export function printGroup({ title, seconds, figures }: GroupResult, out: NodeJS.WriteStream = process.stdout): void {
  const style = styleFor(out, process.env);
  const rows = figures.map((figure) => cells(figure));
  const widths = HEADING.map((heading, i) => Math.max(heading.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join("  ")
      .trimEnd();
  out.write(`\n${style.bold(title)} ${style.dim(`(${seconds.toFixed(0)} s)`)}\n`);
  out.write(`  ${style.dim(line(HEADING))}\n`);
  for (const [i, figure] of figures.entries()) {
    const text = line(rows[i] as readonly string[]);
    out.write(`  ${figure.of === "coil" ? text : style.dim(text)}\n`);
    for (const remark of remarks(figure, style)) out.write(`      ${remark}\n`);
  }
}

const HEADING = ["", "value", "unit", "p99", "±%"] as const;

function cells({ name, value, unit, p99, spread }: Figure): string[] {
  return [
    name,
    formatNumber(value),
    unit,
    p99 === undefined ? "" : formatNumber(p99),
    spread === undefined ? "" : percent(spread),
  ];
}

function remarks({ comparisons = [], verdicts = [] }: Figure, { green, red, dim }: Style): string[] {
  const compared = comparisons.map(({ against, ratio, spread }) =>
    dim(`${formatNumber(ratio)} × ${against} (±${percent(spread)} %)`),
  );
  const judged = verdicts.map(({ met, text, value }) =>
    met ? green(`✓ ${text}: ${formatNumber(value)}`) : red(`✗ ${text}: ${formatNumber(value)}`),
  );
  return [...compared, ...judged];
}

/** Three digits that matter. */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return "-";
  if (size >= 100) return Math.round(value).toLocaleString("en-US");
  if (size >= 10) return value.toFixed(1);
  if (size >= 0.1 || size === 0) return value.toFixed(2);
  return value.toPrecision(2);
}

function percent(share: number): string {
  return (share * 100).toFixed(0);
}
