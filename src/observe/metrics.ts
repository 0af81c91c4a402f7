/// <reference path="./prom-client.d.ts" />
import Counter from "prom-client/lib/counter.js";
import Gauge from "prom-client/lib/gauge.js";
import Histogram from "prom-client/lib/histogram.js";
import Registry from "prom-client/lib/registry.js";

export { Counter, Gauge, Histogram, Registry };

/** Seconds, for what takes between half a millisecond and ten seconds. */
export const DURATION_BUCKETS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** An empty registry. One a program; components take it and register their own series. */
export function createRegistry(): Registry {
  return new Registry();
}

/** A counter in `registry`. Without labels it shows 0 from the start. */
export function counter<L extends string = never>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly L[] = [],
): Counter<L> {
  return new Counter({ name, help, labelNames: [...labelNames], registers: [registry] });
}

/** A gauge in `registry`; `read` is asked at each scrape and may set series by labels itself. */
export function gauge<L extends string = never>(
  registry: Registry,
  name: string,
  help: string,
  { labelNames = [], read }: { labelNames?: readonly L[]; read?: (gauge: Gauge<L>) => void } = {},
): Gauge<L> {
  const made: Gauge<L> = new Gauge({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    ...(read ? { collect: () => read(made) } : {}),
  });
  return made;
}

/** A histogram of seconds in `registry`. */
export function histogram<L extends string = never>(
  registry: Registry,
  name: string,
  help: string,
  { labelNames = [], buckets = DURATION_BUCKETS }: { labelNames?: readonly L[]; buckets?: readonly number[] } = {},
): Histogram<L> {
  return new Histogram({ name, help, labelNames: [...labelNames], buckets: [...buckets], registers: [registry] });
}
