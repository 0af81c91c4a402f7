import { formatPrefix, type Prefix } from "../ip/prefix.ts";
import type { WantedRoute } from "./route-changes.ts";

/** A block as far as routes are concerned. */
export interface RoutedBlock {
  readonly name: string;
  readonly ipv4?: Prefix;
  readonly ipv6?: Prefix;
}

/** Interface index of `lo` in every network namespace. */
const LOOPBACK_INDEX = 1;

/** The networks of blocks, each once. */
export function blockPrefixes(blocks: readonly RoutedBlock[]): Prefix[] {
  const prefixes = blocks.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6].filter((prefix) => prefix !== undefined));
  return [...new Map(prefixes.map((prefix) => [formatPrefix(prefix), prefix])).values()];
}

/** Routes of the export table: routing daemons read it and announce what they find; the node itself never looks there. */
export function exportedRoutes(prefixes: readonly Prefix[]): WantedRoute[] {
  return prefixes.map((destination) => ({ destination, index: LOOPBACK_INDEX }));
}
