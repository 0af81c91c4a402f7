/** The sum of all series of a name whose labels fit, in Prometheus' text. */
export function sumOfSeries(text: string, name: string, fits: (labels: Readonly<Record<string, string>>) => boolean): number {
  let sum = 0;
  for (const line of text.split("\n")) {
    if (!line.startsWith(name)) continue;
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (match?.[1] !== name) continue;
    const labels = Object.fromEntries([...(match[2] ?? "").matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]));
    if (fits(labels)) sum += Number(match[3]);
  }
  return sum;
}
