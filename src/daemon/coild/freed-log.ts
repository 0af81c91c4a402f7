import { appendFile, readFile, rename, writeFile } from "node:fs/promises";
import { type Address, formatAddress, tryParseAddress } from "../../ip/address.ts";
import type { Logger } from "../../observe/logger.ts";

/** An address that a pod had. */
export interface FreedAddress {
  readonly address: Address;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/**
 * A file that tells the next coild which addresses were freed of late, so that they are not the first ones it gives out. A hint:
 * without it, or with half of it, nothing is wrong. Lines are `<ms since the epoch> <address>`.
 */
export interface FreedLog {
  /** What is in the file, longest ago first. Makes it small again. Never rejects. */
  load(): Promise<FreedAddress[]>;
  /** Appends in the background. */
  append(addresses: readonly Address[]): void;
  /** Resolves when everything is written. */
  settled(): Promise<void>;
}

/** Addresses that are kept. */
const KEPT = 4096;
/** Lines after which the file is made small again. */
const MOST_LINES = 4 * KEPT;

/** The log in `file`. `now` in ms since the epoch. */
export function createFreedLog(file: string, { log, now }: { log: Logger; now: () => number }): FreedLog {
  let tail: Promise<void> = Promise.resolve();
  let lines = 0;
  let broken = false;

  const enqueue = (work: () => Promise<void>): Promise<void> => {
    tail = tail.then(work).catch((err: unknown) => {
      if (!broken) log.warn({ err, file }, "cannot keep the list of freed addresses");
      broken = true;
    });
    return tail;
  };

  const compact = async (): Promise<FreedAddress[]> => {
    const known = parseLines(await readFile(file, "utf8").catch(() => ""));
    const temporary = `${file}.new`;
    await writeFile(temporary, known.map(formatLine).join(""), { mode: 0o600 });
    await rename(temporary, file);
    lines = known.length;
    return known;
  };

  return {
    async load() {
      let known: FreedAddress[] = [];
      await enqueue(async () => {
        known = await compact();
      });
      return known;
    },
    append(addresses) {
      const at = now();
      const text = addresses.map((address) => formatLine({ address, at })).join("");
      lines += addresses.length;
      void enqueue(() => appendFile(file, text, { mode: 0o600 }));
      if (lines <= MOST_LINES) return;
      lines = 0;
      void enqueue(async () => void (await compact()));
    },
    settled: () => tail,
  };
}

function formatLine({ address, at }: FreedAddress): string {
  return `${Math.round(at)} ${formatAddress(address)}\n`;
}

/** The last lines, each address once; what cannot be read is skipped. */
function parseLines(text: string): FreedAddress[] {
  const byAddress = new Map<string, FreedAddress>();
  for (const line of text.split("\n")) {
    const [at = "", name = ""] = line.split(" ");
    const address = tryParseAddress(name);
    if (!address || !/^[0-9]{1,15}$/.test(at)) continue;
    byAddress.delete(name);
    byAddress.set(name, { address, at: Number(at) });
  }
  return [...byAddress.values()].sort((a, b) => a.at - b.at).slice(-KEPT);
}
