import type { AddressBlock } from "../crd/address-block.ts";
import { type Block, blockFrom, isBlockProblem } from "../ipam/block.ts";
import { createGrantBook, type Grant, type GrantBook, type PoolUsage } from "../ipam/grants.ts";
import type { PoolLayout } from "../ipam/layout.ts";

/** An index kept for one request. */
export type Reservation = Extract<Grant, { kind: "index" }>;

/**
 * What the leader knows about blocks, from three sources that overtake each other: the watch, direct reads and its own creations.
 * A UID that was seen to go never comes back, however late somebody tells of it.
 */
export interface BlockLedger {
  /** Adds a pool or replaces its layout. */
  setPool(name: string, layout: PoolLayout): void;
  /** Forgets a pool and what was kept of it for requests. */
  dropPool(name: string): void;
  /** The block exists, or did when the reply or event was made. False when it is known to be gone since. */
  observe(object: AddressBlock): boolean;
  /** The block is gone. */
  forget(object: AddressBlock): void;
  /** Name of the block that was made for this request (UID). */
  answerTo(request: string): string | undefined;
  /**
   * The index to create for this request. The same one until the request is {@link settle}d, so that a creation whose reply was lost
   * is repeated under its name and not beside it.
   */
  reserve(request: string, pool: string): Grant;
  /** How the creation ended: `absent` the index is free again, `taken` somebody else has it. Observe a created block before. */
  settle(request: string, pool: string, outcome: "created" | "absent" | "taken"): void;
  /** Gives up reservations that were made before `before` (as `now`) and whose request `isWanted` no longer knows. */
  abandon(before: number, isWanted: (request: string) => boolean): void;
  usage(pool: string): PoolUsage | undefined;
  /** Compares with a consistent read that starts within this call: what it lacks is forgotten, what it has is observed. */
  resync(read: () => Promise<readonly AddressBlock[]>): Promise<void>;
}

/** How long a removed UID is remembered: longer than any read that could still tell of it, in ms. */
const TOMBSTONE_MS = 600_000;

/** An empty ledger. {@link BlockLedger.resync} before the first reservation. `now` in ms; only differences count. */
export function createBlockLedger({ now }: { now: () => number }): BlockLedger {
  return new Ledger(now);
}

class Ledger implements BlockLedger {
  readonly #now: () => number;
  readonly #book: GrantBook = createGrantBook();
  readonly #blocks = new Map<string, Block>();
  /** Request UID -> UIDs of its blocks. */
  readonly #answers = new Map<string, Set<string>>();
  /** `request/pool` -> reservation. */
  readonly #reservations = new Map<string, Reservation & { readonly request: string; readonly at: number }>();
  /** Name of a foreign object -> the index whose name it has. */
  readonly #squatters = new Map<string, { readonly pool: string; readonly index: number }>();
  readonly #tombstones = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  setPool(name: string, layout: PoolLayout): void {
    this.#book.setPool(name, layout);
  }

  dropPool(name: string): void {
    this.#book.dropPool(name);
    // Another pool of that name may be cut in another way.
    for (const [key, { pool }] of this.#reservations) if (pool === name) this.#reservations.delete(key);
  }

  observe(object: AddressBlock): boolean {
    const block = blockFrom(object);
    if (this.#tombstones.has(object.metadata.uid ?? "")) return false;
    // Neither nodes nor the book can use it; its name still stands in the way of an index, which its creation finds out.
    if (isBlockProblem(block)) return true;
    const known = this.#blocks.get(block.uid);
    if (known) this.#unlink(known);
    this.#blocks.set(block.uid, block);
    if (block.request) this.#answers.set(block.request, (this.#answers.get(block.request) ?? new Set()).add(block.uid));
    this.#book.observe(block);
    return true;
  }

  forget(object: AddressBlock): void {
    const { uid, name } = object.metadata;
    if (uid) {
      this.#bury(uid);
      this.#remove(uid);
    }
    const squatted = this.#squatters.get(name);
    if (squatted) this.#book.removed({ uid: "", ...squatted });
    this.#squatters.delete(name);
  }

  answerTo(request: string): string | undefined {
    for (const uid of this.#answers.get(request) ?? []) return this.#blocks.get(uid)?.name;
    return undefined;
  }

  reserve(request: string, pool: string): Grant {
    const key = reservationKey(request, pool);
    const kept = this.#reservations.get(key);
    if (kept) return kept;
    const grant = this.#book.next(pool);
    if (grant.kind === "index") this.#reservations.set(key, { ...grant, request, at: this.#now() });
    return grant;
  }

  settle(request: string, pool: string, outcome: "created" | "absent" | "taken"): void {
    const key = reservationKey(request, pool);
    const reservation = this.#reservations.get(key);
    if (!reservation) return;
    this.#reservations.delete(key);
    const { index } = reservation;
    if (outcome === "absent") this.#book.failed(pool, index);
    if (outcome !== "taken") return;
    this.#book.taken(pool, index);
    this.#squatters.set(`${pool}-${index}`, { pool, index });
  }

  abandon(before: number, isWanted: (request: string) => boolean): void {
    for (const { request, pool, at } of [...this.#reservations.values()]) {
      if (at < before && !isWanted(request)) this.settle(request, pool, "absent");
    }
  }

  usage(pool: string): PoolUsage | undefined {
    return this.#book.usage(pool);
  }

  async resync(read: () => Promise<readonly AddressBlock[]>): Promise<void> {
    const before = [...this.#blocks.keys()];
    const objects = await read();
    const present = new Set(objects.map(({ metadata }) => metadata.uid));
    for (const uid of before) if (!present.has(uid)) this.#remove(uid);
    for (const object of objects) this.observe(object);
  }

  /** Remembers that a block is gone, and forgets those that went long ago: the oldest come first. */
  #bury(uid: string): void {
    const now = this.#now();
    for (const [old, at] of this.#tombstones) {
      if (at >= now - TOMBSTONE_MS) break;
      this.#tombstones.delete(old);
    }
    this.#tombstones.set(uid, now);
  }

  #remove(uid: string): void {
    const block = this.#blocks.get(uid);
    if (!block) return;
    this.#unlink(block);
    this.#blocks.delete(uid);
    this.#book.removed(block);
  }

  #unlink({ uid, request }: Block): void {
    const uids = request === undefined ? undefined : this.#answers.get(request);
    uids?.delete(uid);
    if (request !== undefined && uids?.size === 0) this.#answers.delete(request);
  }
}

function reservationKey(request: string, pool: string): string {
  return `${request}/${pool}`;
}
