import type { AddressPool } from "../crd/address-pool.ts";
import type { BlockLedger } from "./block-ledger.ts";
import { type PoolStanding, poolStandings } from "./pool-standing.ts";

/** How each pool stands, kept in step with the pools, and the layouts in the ledger with it. */
export interface PoolBoard {
  /** Judges again. Gives the names of the pools whose standing changed, those that are gone included. */
  update(pools: readonly AddressPool[]): string[];
  standing(pool: string): PoolStanding | undefined;
  names(): string[];
}

interface Entry {
  readonly standing: PoolStanding;
  readonly uid: string | undefined;
  readonly generation: number | undefined;
}

/** Knows no pool before the first {@link PoolBoard.update}. */
export function createPoolBoard(ledger: Pick<BlockLedger, "setPool" | "dropPool">): PoolBoard {
  const entries = new Map<string, Entry>();
  return {
    update(pools) {
      const changed: string[] = [];
      const standings = poolStandings(pools);
      for (const name of [...entries.keys()]) {
        if (standings.has(name)) continue;
        entries.delete(name);
        ledger.dropPool(name);
        changed.push(name);
      }
      for (const { metadata } of pools) {
        const { name, uid, generation } = metadata;
        const standing = standings.get(name) as PoolStanding;
        const before = entries.get(name);
        // Another pool under the old name: what was kept for requests to the old one means nothing.
        if (before && before.uid !== uid) ledger.dropPool(name);
        const isSame = before && before.uid === uid && before.generation === generation;
        if (!isSame && standing.layout) ledger.setPool(name, standing.layout);
        entries.set(name, { standing, uid, generation });
        if (before?.standing.kind !== standing.kind || before.standing.message !== standing.message || !isSame)
          changed.push(name);
      }
      return changed;
    },
    standing: (pool) => entries.get(pool)?.standing,
    names: () => [...entries.keys()],
  };
}
