/** Paints text when standard output is a terminal; else gives it as it is. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  green(text: string): string;
  red(text: string): string;
  yellow(text: string): string;
}

/** The style for an output. `NO_COLOR` is honoured. */
export function styleFor(stream: { isTTY?: boolean }, env: Readonly<Record<string, string | undefined>>): Style {
  const coloured = stream.isTTY === true && !env["NO_COLOR"];
  const paint = (code: number, end: number) => (text: string) => (coloured ? `\u001b[${code}m${text}\u001b[${end}m` : text);
  return { bold: paint(1, 22), dim: paint(2, 22), green: paint(32, 39), red: paint(31, 39), yellow: paint(33, 39) };
}
