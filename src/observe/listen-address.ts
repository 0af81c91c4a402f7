/** Where a server listens. Port 0 lets the kernel choose. */
export interface ListenAddress {
  /** Undefined: all addresses of both families. */
  readonly host: string | undefined;
  readonly port: number;
}

/**
 * Parses `:9386`, `127.0.0.1:9386` or `[::1]:9386`. Undefined for `0` and the empty text, which switch a server off.
 * Throws `SyntaxError`.
 */
export function parseListenAddress(text: string): ListenAddress | undefined {
  if (text === "" || text === "0") return undefined;
  const match = /^(?:\[([^\]]+)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) {
    throw new SyntaxError(`Cannot parse ${JSON.stringify(text)} as a listen address, for example :9386 or 127.0.0.1:9386`);
  }
  return { host: match[1] ?? (match[2] || undefined), port };
}
