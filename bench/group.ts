import type { Figure } from "./measure/figure.ts";

/** What a group works with. */
export interface BenchContext {
  /** A folder that is removed at the end. */
  readonly folder: string;
  /** Folder with other implementations' programs, if one was named. */
  readonly peers: string | undefined;
  /** A line for who waits. */
  readonly log: (line: string) => void;
}

/** Measurements that belong together, and can be asked for by name. */
export interface BenchGroup {
  readonly name: string;
  readonly title: string;
  run(context: BenchContext): Promise<Figure[]>;
}
