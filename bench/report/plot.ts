import type { Figure } from "../measure/figure.ts";
import type { BenchResult, GroupResult } from "./result.ts";
import { formatNumber } from "./table.ts";

const WIDTH = 980;
const NAME_WIDTH = 400;
const BAR_WIDTH = 300;
const ROW = 20;
const COLOURS: Readonly<Record<Figure["of"], string>> = { coil: "#2563eb", limit: "#94a3b8", peer: "#d97706" };

/** All figures as bars: those of one group with one unit share a scale. A whisker shows p99; a mark says whether a budget was kept. */
export function plot({ at, machine, groups }: BenchResult): string {
  const parts: string[] = [];
  let y = 60;
  for (const group of groups) {
    const drawn = drawGroup(group, y);
    parts.push(...drawn.parts);
    y = drawn.end;
  }
  const { cpus, cpu, kernel, node, loadBefore } = machine;
  const subtitle = `${at.slice(0, 10)}, ${cpus} × ${cpu}, kernel ${kernel}, Node ${node}, load before ${loadBefore}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y + 10}" viewBox="0 0 ${WIDTH} ${y + 10}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="16" y="26" font-size="18" font-weight="bold">Coil: figures of the last full benchmark</text>
<text x="16" y="44" fill="#475569">${xml(subtitle)}: blue is Coil, grey a limit, orange a peer; the line is p99</text>
${parts.join("\n")}
</svg>
`;
}

function drawGroup({ title, figures }: GroupResult, top: number): { parts: string[]; end: number } {
  const parts = [text(16, top + 16, title, 'font-size="14" font-weight="bold"')];
  let y = top + 26;
  for (const [unit, list] of Map.groupBy(figures, (figure) => figure.unit)) {
    const largest = Math.max(...list.map(({ value }) => value), Number.MIN_VALUE);
    for (const figure of list) {
      parts.push(...drawRow(figure, unit, y, largest));
      y += ROW;
    }
    y += 6;
  }
  return { parts, end: y + 8 };
}

function drawRow({ name, of, value, p99, verdicts = [] }: Figure, unit: string, y: number, largest: number): string[] {
  const scale = (amount: number) => Math.min(BAR_WIDTH + 40, Math.max(1, (amount / largest) * BAR_WIDTH));
  const middle = y + ROW / 2;
  const end = NAME_WIDTH + scale(value);
  const whisker =
    p99 === undefined || p99 <= value
      ? []
      : [`<line x1="${end}" y1="${middle}" x2="${(NAME_WIDTH + scale(p99)).toFixed(1)}" y2="${middle}" stroke="#64748b"/>`];
  const right = Math.max(end, NAME_WIDTH + scale(p99 ?? 0)) + 6;
  const marks = verdicts.map(({ met, text: budget }) => `${met ? "✓" : "✗"} ${budget}`).join("; ");
  const colour = verdicts.some(({ met }) => !met) ? "#b91c1c" : "#15803d";
  return [
    text(NAME_WIDTH - 8, middle + 4, name, 'text-anchor="end"'),
    `<rect x="${NAME_WIDTH}" y="${y + 4}" width="${scale(value).toFixed(1)}" height="${ROW - 8}" fill="${COLOURS[of]}"/>`,
    ...whisker,
    `<text x="${right.toFixed(1)}" y="${middle + 4}">${formatNumber(value)} ${xml(unit)}${marks && ` <tspan fill="${colour}" font-size="10">${xml(marks)}</tspan>`}</text>`,
  ];
}

function text(x: number, y: number, content: string, attributes = ""): string {
  return `<text x="${x}" y="${y}" ${attributes}>${xml(content)}</text>`;
}

function xml(value: string): string {
  return value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
