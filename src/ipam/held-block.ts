import type { Block } from "./block.ts";
import { createOffsetQueue, type OffsetQueue } from "./offset-queue.ts";

/** What becomes of a block: only `active` ones are allocated from, and `reserved` ones are never given back. */
export type BlockState = "active" | "reserved" | "terminating" | "releasing";

/** A block that this node owns, with the use that is made of it. */
export class HeldBlock {
  readonly queue: OffsetQueue;
  /** Offset -> number of addresses held there: in a dual-stack block two for one pod. */
  readonly #held = new Map<number, number>();
  block: Block;
  /** Being given back; there is no way back from this. */
  releasing = false;
  /** When an empty block may be given back. */
  releaseAt: number;

  constructor(block: Block, releaseAt: number) {
    this.block = block;
    this.releaseAt = releaseAt;
    this.queue = createOffsetQueue(block.size);
  }

  /** Number of offsets in use. */
  get used(): number {
    return this.#held.size;
  }

  get state(): BlockState {
    if (this.releasing) return "releasing";
    if (this.block.reserved) return "reserved";
    return this.block.terminating ? "terminating" : "active";
  }

  /** Addresses that may be given out. */
  get free(): number {
    return this.state === "active" ? this.block.size - this.used : 0;
  }

  /** An address at the offset is in use. */
  hold(offset: number): void {
    if (offset >= this.block.size) return;
    this.#held.set(offset, (this.#held.get(offset) ?? 0) + 1);
    this.queue.take(offset);
  }

  /** The offset, if nobody has it, was freed at that time. */
  freed(offset: number, freedAt: number): void {
    if (offset < this.block.size && !this.#held.has(offset)) this.queue.put(offset, freedAt);
  }

  /** Undoes one {@link hold}; `freedAt` as for {@link OffsetQueue.put}. Returns whether the block is empty by this. */
  unhold(offset: number, freedAt: number | undefined): boolean {
    const count = this.#held.get(offset);
    if (count === undefined) return false;
    if (count > 1) {
      this.#held.set(offset, count - 1);
      return false;
    }
    this.#held.delete(offset);
    this.queue.put(offset, freedAt);
    return this.used === 0;
  }
}
