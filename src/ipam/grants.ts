import { hostBits, type Prefix } from "../ip/prefix.ts";
import { type Block, blockNetworks } from "./block.ts";
import { type BlockPrefixes, blockAt, blockCount, MAX_INDEX, type PoolLayout, subnetEnd } from "./layout.ts";
import { createPrefixMap } from "./prefix-map.ts";

/** The answer to {@link GrantBook.next}. An index is kept for the caller until it says how the creation of the block ended. */
export type Grant =
  | ({ readonly kind: "index"; readonly pool: string; readonly index: number } & BlockPrefixes)
  | { readonly kind: "full" }
  | { readonly kind: "unknown-pool" };

/** Numbers of a pool for metrics and status. */
export interface PoolUsage {
  /** Blocks the pool can be cut into. */
  readonly max: bigint;
  /** Blocks that exist. */
  readonly allocated: number;
  /** Indices given out by {@link GrantBook.next} whose fate is not known yet. */
  readonly pending: number;
}

/**
 * The controller's book of blocks: which index of which pool is in use, and the lowest free one. Several grants of one pool may be
 * under way at once. Before the first {@link GrantBook.next} every AddressBlock must have been observed.
 */
export interface GrantBook {
  /** Adds a pool or replaces its layout. Marks left by {@link taken} are dropped; call it when all existing blocks are observed. */
  setPool(name: string, layout: PoolLayout): void;
  /** Forgets a pool; its blocks go on guarding their addresses. */
  dropPool(name: string): void;
  /** The block exists, whoever made it. Idempotent. */
  observe(block: Block): void;
  /** The block is gone from the API. Another block of that index, with another UID, stays. */
  removed(block: Pick<Block, "uid" | "pool" | "index">): void;
  /** The lowest index that is free and whose addresses are in no block of any pool. */
  next(pool: string): Grant;
  /** The block was created; same as observing it, but nothing if it was removed meanwhile. */
  confirmed(block: Block): void;
  /** The block was certainly not created: the API refused it. */
  failed(pool: string, index: number): void;
  /**
   * An object of that name exists, or may exist because the reply was lost. The index and its addresses count as used until the
   * block is observed or removed, or {@link setPool} drops the mark.
   */
  taken(pool: string, index: number): void;
  /** Undefined for an unknown pool. */
  usage(pool: string): PoolUsage | undefined;
}

interface PoolBook {
  layout: PoolLayout;
  /** No index below is free. */
  lowest: number;
  readonly held: Map<number, Hold>;
}

/** An index that is not free although no known block has it. */
interface Hold {
  readonly state: "pending" | "taken";
  /** What it keeps other pools from granting. */
  readonly networks: readonly Prefix[];
}

/** How many removed blocks are remembered. */
const REMEMBERED = 10_000;

/** An empty {@link GrantBook}. */
export function createGrantBook(): GrantBook {
  return new Book();
}

class Book implements GrantBook {
  readonly #pools = new Map<string, PoolBook>();
  readonly #blocks = new Map<string, Block>();
  /** Pool -> index -> UIDs of blocks; two for one index only when people make blocks by hand. Outlives the pool's entry. */
  readonly #used = new Map<string, Map<number, Set<string>>>();
  /** UIDs of blocks that were removed of late: the reply to a creation can arrive after the events of creation and deletion. */
  readonly #removed = new Set<string>();
  /** Networks of all blocks, by UID, and of indices given out, by `pool/index`. */
  readonly #networks = createPrefixMap<string>();

  setPool(name: string, layout: PoolLayout): void {
    const pool = this.#pools.get(name);
    if (!pool) {
      this.#pools.set(name, { layout, lowest: 0, held: new Map() });
      return;
    }
    pool.layout = layout;
    pool.lowest = 0;
    for (const [index, { state }] of [...pool.held]) if (state === "taken") this.#unhold(name, index);
  }

  dropPool(name: string): void {
    for (const index of [...(this.#pools.get(name)?.held.keys() ?? [])]) this.#unhold(name, index);
    this.#pools.delete(name);
  }

  observe(block: Block): void {
    this.#unhold(block.pool, block.index);
    this.#forget(block.uid);
    this.#blocks.set(block.uid, block);
    for (const network of blockNetworks(block)) this.#networks.add(network, block.uid);
    const indices = this.#used.get(block.pool) ?? new Map<number, Set<string>>();
    this.#used.set(block.pool, indices);
    indices.set(block.index, (indices.get(block.index) ?? new Set()).add(block.uid));
  }

  removed({ uid, pool, index }: Pick<Block, "uid" | "pool" | "index">): void {
    if (this.#pools.get(pool)?.held.get(index)?.state === "taken") this.#unhold(pool, index);
    this.#removed.add(uid);
    for (const oldest of this.#removed) {
      if (this.#removed.size <= REMEMBERED) break;
      this.#removed.delete(oldest);
    }
    this.#forget(uid);
  }

  #forget(uid: string): void {
    const block = this.#blocks.get(uid);
    if (!block) return;
    this.#blocks.delete(uid);
    for (const network of blockNetworks(block)) this.#networks.delete(network, uid);
    const indices = this.#used.get(block.pool);
    const uids = indices?.get(block.index);
    uids?.delete(uid);
    if (uids?.size !== 0) return;
    indices?.delete(block.index);
    if (indices?.size === 0) this.#used.delete(block.pool);
    this.#lower(block.pool, block.index);
  }

  next(name: string): Grant {
    const pool = this.#pools.get(name);
    if (!pool) return { kind: "unknown-pool" };
    const used = this.#used.get(name);
    const busy = (index: number) => used?.has(index) || pool.held.has(index);
    const end = Math.min(Number(blockCount(pool.layout)), MAX_INDEX + 1);
    while (pool.lowest < end && busy(pool.lowest)) pool.lowest++;
    for (let index = pool.lowest; index < end; ) {
      const prefixes = busy(index) ? undefined : blockAt(pool.layout, index);
      const obstacle = prefixes && this.#obstacle(prefixes);
      if (prefixes && obstacle === undefined) {
        this.#hold(name, index, "pending");
        return { kind: "index", pool: name, index, ...prefixes };
      }
      index = obstacle === undefined ? index + 1 : Math.min(index + obstacle, subnetEnd(pool.layout, index));
    }
    return { kind: "full" };
  }

  confirmed(block: Block): void {
    if (this.#removed.has(block.uid)) this.#unhold(block.pool, block.index);
    else this.observe(block);
  }

  failed(pool: string, index: number): void {
    this.#unhold(pool, index);
    this.#lower(pool, index);
  }

  taken(name: string, index: number): void {
    this.#unhold(name, index);
    if (!this.#used.get(name)?.has(index)) this.#hold(name, index, "taken");
  }

  usage(name: string): PoolUsage | undefined {
    const pool = this.#pools.get(name);
    if (!pool) return undefined;
    const pending = [...pool.held.values()].filter(({ state }) => state === "pending").length;
    return { max: blockCount(pool.layout), allocated: this.#used.get(name)?.size ?? 0, pending };
  }

  /** How many indices to go on for, to leave an existing network that shares addresses with the block; undefined if none does. */
  #obstacle(prefixes: BlockPrefixes): number | undefined {
    for (const network of blockNetworks(prefixes)) {
      const found = this.#networks.overlap(network);
      if (found) return steps(network, found.prefix);
    }
    return undefined;
  }

  #hold(name: string, index: number, state: Hold["state"]): void {
    const pool = this.#pools.get(name);
    const prefixes = pool && blockAt(pool.layout, index);
    if (!pool || !prefixes) return;
    const networks = blockNetworks(prefixes);
    pool.held.set(index, { state, networks });
    for (const network of networks) this.#networks.add(network, holdKey(name, index));
  }

  #unhold(name: string, index: number): void {
    const pool = this.#pools.get(name);
    const hold = pool?.held.get(index);
    if (!pool || !hold) return;
    pool.held.delete(index);
    for (const network of hold.networks) this.#networks.delete(network, holdKey(name, index));
    this.#lower(name, index);
  }

  #lower(name: string, index: number): void {
    const pool = this.#pools.get(name);
    if (pool) pool.lowest = Math.min(pool.lowest, index);
  }
}

function holdKey(pool: string, index: number): string {
  return `${pool}/${index}`;
}

/** From a block to the first one behind `obstacle`, which overlaps it, in blocks. */
function steps(block: Prefix, obstacle: Prefix): number {
  const size = 1n << BigInt(hostBits(block));
  const end = obstacle.address.value + (1n << BigInt(hostBits(obstacle)));
  const rest = (end - block.address.value + size - 1n) / size;
  return Number(rest < 1n ? 1n : rest);
}
