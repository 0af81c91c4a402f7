/** A program of the lab: what it is called, where it runs and how it is started. */
export interface Program {
  /** The node that it belongs to, or the fabric. Also the network namespace that it runs in. */
  readonly node: string;
  /** For example `coild`; unique on its node. */
  readonly name: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Answers 200 when the program can do its work. Reached over the node network or, with `socket`, through a UNIX socket. */
  readonly health?: HealthAddress;
}

export interface HealthAddress {
  readonly url: string;
  readonly socket?: string;
}

/** `coil-worker/coild`, for messages. */
export function programTitle({ node, name }: Pick<Program, "node" | "name">): string {
  return `${node}/${name}`;
}
