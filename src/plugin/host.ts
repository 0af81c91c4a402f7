import type { Connection } from "../rpc/exchange.ts";

/** What the plugin needs from its platform: QuickJS in the binary, Node in tests and in the fallback. */
export interface Host {
  /** An environment variable. */
  variable(name: string): string | undefined;
  /** Milliseconds on a clock that does not jump. */
  clock(): number;
  /** Standard input up to its end, at most `limit` bytes of it; nothing from a terminal. */
  readInput(limit: number): Promise<Uint8Array>;
  /** Writes all of it to standard output. */
  writeOutput(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Connects to a UNIX socket. Throws `SystemError`. */
  connect(path: string, timeoutMs: number): Promise<Connection>;
  /** Writes a file that is there whole or not at all, and its folder (mode 0700) if need be. Throws `SystemError`. */
  writeFile(file: { folder: string; name: string }, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Removes a file; one that is not there is fine. */
  removeFile(file: { folder: string; name: string }): Promise<void>;
}
