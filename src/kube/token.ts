import { readFile } from "node:fs/promises";
import type { Clock } from "./clock.ts";
import type { CredentialsConfig } from "./config.ts";

const REREAD_MS = 60_000;

/** Where the bearer token of each request comes from. */
export interface TokenSource {
  /** The token to use now; undefined for none. Throws an `Error` when there has never been a readable one. */
  current(): Promise<string | undefined>;
  /** Called when the server refused `token`: whether another one is there to try. */
  renew(token: string): Promise<boolean>;
}

/** Makes the source; files are read on use, not now. */
export function createTokenSource(credentials: CredentialsConfig, clock: Clock): TokenSource {
  if (credentials.kind === "token-file") return fileSource(credentials.path, clock);
  const token = credentials.kind === "token" ? credentials.token : undefined;
  return { current: () => Promise.resolve(token), renew: () => Promise.resolve(false) };
}

function fileSource(path: string, clock: Clock): TokenSource {
  let known: { token: string; readAt: number } | undefined;
  const read = async (): Promise<string> => {
    let token = "";
    let cause: unknown;
    try {
      token = (await readFile(path, "utf8")).trim();
    } catch (error) {
      cause = error;
    }
    // A file that is missing for a moment while it is replaced must not end what works.
    if (token === "" && known === undefined)
      throw new Error(`Cannot read a token from ${path}`, cause === undefined ? {} : { cause });
    known = { token: token || (known?.token ?? ""), readAt: clock.now() };
    return known.token;
  };
  return {
    current: () => (known && clock.now() - known.readAt < REREAD_MS ? Promise.resolve(known.token) : read()),
    renew: async (token) => (await read()) !== token,
  };
}
