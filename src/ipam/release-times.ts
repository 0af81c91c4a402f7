import type { HeldBlock } from "./held-block.ts";

/** An empty block, with the time from which it may be given back. */
export interface ReleaseTime {
  readonly held: HeldBlock;
  readonly at: number;
}

/** A pool runs low when fewer addresses than this are free; blocks of few addresses are only asked for when they are needed. */
export function lowWater(blockSize: number): number {
  return Math.floor(blockSize / 8);
}

/**
 * When the empty blocks may be given back. At once, if they or their pool are being deleted. Otherwise after a while; while pods of
 * the pool come (until `busyUntil`), one block is kept in stock when the others run low.
 */
export function releaseTimes(
  blocks: readonly HeldBlock[],
  { terminatingPools, busyUntil }: { terminatingPools: ReadonlySet<string>; busyUntil(pool: string): number },
): ReleaseTime[] {
  const inUse = new Set<string>();
  const free = new Map<string, number>();
  for (const held of blocks) {
    if (held.used > 0 && held.state === "active") inUse.add(held.block.pool);
    free.set(held.block.pool, (free.get(held.block.pool) ?? 0) + held.free);
  }
  return blocks.flatMap((held) => {
    const { block, used, state, releaseAt } = held;
    if (used > 0 || state === "reserved" || state === "releasing") return [];
    if (state === "terminating" || terminatingPools.has(block.pool)) return [{ held, at: 0 }];
    const rest = (free.get(block.pool) ?? 0) - held.free;
    const keep = inUse.has(block.pool) && rest < lowWater(block.size);
    return [{ held, at: keep ? Math.max(releaseAt, busyUntil(block.pool)) : releaseAt }];
  });
}
