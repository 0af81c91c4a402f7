/**
 * The order in which the addresses of one block are given out, as offsets from 0. First next-fit through those never used, from the
 * cursor on and around the end; then those that were given back without having been used; then those freed, longest ago first. So an
 * address that was freed is the last one to be used again.
 */
export interface OffsetQueue {
  /** The free offset to give out next, with the time it was freed if somebody had it; undefined when none is free. */
  peek(): { readonly offset: number; readonly freedAt?: number } | undefined;
  /** The offset is in use from now on. */
  take(offset: number): void;
  /** The offset is free again; without `freedAt` nobody had it. */
  put(offset: number, freedAt: number | undefined): void;
  /** Sets the cursor behind `offset`: what came before it was given out, and freed, some time ago. */
  startAfter(offset: number): void;
}

/** A queue of `size` offsets, all free. Costs nothing for offsets that nobody touches, so blocks may be large. */
export function createOffsetQueue(size: number): OffsetQueue {
  const inUse = new Set<number>();
  const unused = new Set<number>();
  let freed = new Map<number, number>();
  let lastFreedAt = -Infinity;
  let start = 0;
  let visited = 0;

  const nextFresh = (): number | undefined => {
    for (; visited < size; visited++) {
      const offset = (start + visited) % size;
      if (!inUse.has(offset) && !unused.has(offset) && !freed.has(offset)) return offset;
    }
    return undefined;
  };

  return {
    peek() {
      const fresh = nextFresh();
      if (fresh !== undefined) return { offset: fresh };
      for (const offset of unused) return { offset };
      for (const [offset, freedAt] of freed) return { offset, freedAt };
      return undefined;
    },
    take(offset) {
      unused.delete(offset);
      freed.delete(offset);
      inUse.add(offset);
    },
    put(offset, freedAt) {
      inUse.delete(offset);
      unused.delete(offset);
      freed.delete(offset);
      if (freedAt === undefined) {
        unused.add(offset);
        return;
      }
      freed.set(offset, freedAt);
      // Late news, or an address that was given back unused after somebody else had used it.
      if (freedAt < lastFreedAt) freed = new Map([...freed].sort((a, b) => a[1] - b[1]));
      else lastFreedAt = freedAt;
    },
    startAfter(offset) {
      start = (offset + 1) % size;
      visited = 0;
    },
  };
}
