const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const PART = /([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)/g;

/** Parses `90s`, `5m` or `1h30m` into milliseconds; `0` needs no unit. Throws `SyntaxError`. */
export function parseDuration(text: string): number {
  if (text === "0") return 0;
  const parts = [...text.matchAll(PART)];
  const matched = parts.map((part) => part[0]).join("");
  if (parts.length === 0 || matched !== text) {
    throw new SyntaxError(`Cannot parse ${JSON.stringify(text)} as a duration, for example 90s, 5m or 1h30m`);
  }
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * UNITS[unit as keyof typeof UNITS], 0);
}

/** Text of `ms` that {@link parseDuration} reads back, such as `1h30m`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return "0";
  let rest = ms;
  let text = "";
  for (const unit of ["h", "m", "s", "ms"] as const) {
    const amount = unit === "ms" ? rest : Math.floor(rest / UNITS[unit]);
    if (amount > 0) text += `${amount}${unit}`;
    rest -= amount * UNITS[unit];
  }
  return text;
}
