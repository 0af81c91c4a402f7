import type { Address } from "../ip/address.ts";
import { type Allocation, addressesOf } from "./allocation.ts";
import { type Block, blockNetworks, sameNetworks } from "./block.ts";
import { type BlockState, HeldBlock } from "./held-block.ts";
import { createPrefixMap } from "./prefix-map.ts";
import { createRecentlyFreed } from "./recently-freed.ts";
import { lowWater, type ReleaseTime, releaseTimes } from "./release-times.ts";

/** Times in milliseconds, of the same clock as every `now`. */
export interface NodeIpamOptions {
  /** How long an empty block is kept. */
  readonly holdMs: number;
  /** The same for a block that is empty when the node starts. */
  readonly startHoldMs: number;
  /** For how long an address that was freed is given out again only if another free one remains, or as a last resort. */
  readonly reuseDelayMs: number;
}

/** The answer to {@link NodeIpam.allocate}. */
export type AllocateResult =
  | { readonly kind: "allocated"; readonly allocation: Allocation; readonly fresh: boolean }
  /** `lastResort`: an address freed a moment ago is there, for the case that no block can be had. */
  | { readonly kind: "need-block"; readonly lastResort: boolean };

/** The use of one block. */
export interface BlockUsage {
  readonly pool: string;
  readonly block: string;
  readonly index: number;
  readonly size: number;
  readonly used: number;
  /** Addresses that can be given out. */
  readonly free: number;
  readonly state: BlockState;
}

/**
 * Who has which address of this node's blocks. Synchronous and without an edge: rebuilt at start from the kernel ({@link adopt}) and
 * the API ({@link setBlocks}), in any order. An address is free only when no key holds it, whatever block it lies in.
 */
export interface NodeIpam {
  /** The blocks of this node as the API has them, all of them. */
  setBlocks(blocks: readonly Block[], now: number): void;
  /** Pools that are being deleted: nothing is allocated from them, and their empty blocks go at once. */
  setTerminatingPools(pools: ReadonlySet<string>): void;
  /** The addresses of the key, allocating them first if need be. `lastResort` takes an address that was freed a moment ago. */
  allocate(key: string, pool: string, now: number, options?: { readonly lastResort?: boolean }): AllocateResult;
  /**
   * The key holds these addresses, whether or not they lie in a known block. Call in the order in which the pods were set up: the
   * last one places the cursor. Returns other keys that hold one of them, which a fault must have caused.
   */
  adopt(allocation: Allocation): string[];
  /** Tells that the address was freed at that time, in an earlier life of the daemon. */
  recall(address: Address, freedAt: number): void;
  /** Ends the use of an address. Call it only when the kernel has no link of the key. `unused`: no pod ever had the address. */
  free(key: string, now: number, options?: { readonly unused?: boolean }): Allocation | undefined;
  get(key: string): Allocation | undefined;
  allocations(): Allocation[];
  /** Addresses of the pool that can be given out. */
  freeCount(pool: string): number;
  /** All blocks, by pool and index. */
  usage(): BlockUsage[];
  /** Blocks that should be given back now. */
  releasable(now: number): Block[];
  /** When {@link releasable} may answer differently without anything else happening. */
  nextDeadline(now: number): number | undefined;
  /** Nothing is allocated from the block any more, for good. False when it is in use, reserved, unknown or being released. */
  beginRelease(name: string): boolean;
  /** How many blocks to have on order for this many pods that wait, one in stock included when the pool runs low. */
  demand(pool: string, need: { readonly waiting: number; readonly blockSize: number }): number;
}

/** Addresses and released blocks that are remembered. */
const REMEMBERED = 4096;

/** A node without blocks and pods. */
export function createNodeIpam(options: NodeIpamOptions): NodeIpam {
  return new Ipam(options);
}

class Ipam implements NodeIpam {
  readonly #options: NodeIpamOptions;
  /** By UID, sorted by pool and index. */
  #blocks = new Map<string, HeldBlock>();
  #started = false;
  readonly #networks = createPrefixMap<HeldBlock>();
  readonly #allocations = new Map<string, Allocation>();
  readonly #holders = { ipv4: new Map<bigint, Set<string>>(), ipv6: new Map<bigint, Set<string>>() };
  readonly #recent = createRecentlyFreed(REMEMBERED);
  /** UIDs of blocks given back: a cache that lags may show them once more. */
  readonly #released = new Set<string>();
  readonly #lastAllocation = new Map<string, number>();
  #terminatingPools: ReadonlySet<string> = new Set();

  constructor(options: NodeIpamOptions) {
    this.#options = options;
  }

  setBlocks(blocks: readonly Block[], now: number): void {
    const sorted = [...blocks].sort((a, b) => (a.pool === b.pool ? a.index - b.index : a.pool < b.pool ? -1 : 1));
    const before = this.#blocks;
    const releaseAt = now + (this.#started ? this.#options.holdMs : Math.min(this.#options.holdMs, this.#options.startHoldMs));
    const added = new Set<HeldBlock>();
    this.#started = true;
    this.#blocks = new Map();
    for (const block of sorted) {
      const known = before.get(block.uid);
      const same = known && sameNetworks(known.block, block);
      const held = same ? known : new HeldBlock(block, releaseAt);
      this.#blocks.set(block.uid, held);
      if (same) before.delete(block.uid);
      else added.add(held);
      held.block = block;
    }
    for (const gone of before.values()) for (const network of blockNetworks(gone.block)) this.#networks.delete(network, gone);
    if (added.size > 0) this.#fill(added);
    if (added.size > 0 || before.size > 0) {
      for (const allocation of this.#allocations.values()) this.#allocations.set(allocation.key, this.#placed(allocation));
    }
  }

  /** Brings what is known of addresses into blocks that are new. */
  #fill(added: ReadonlySet<HeldBlock>): void {
    for (const held of added) {
      held.releasing = this.#released.has(held.block.uid);
      for (const network of blockNetworks(held.block)) this.#networks.add(network, held);
    }
    for (const { address, freedAt } of this.#recent.entries()) {
      for (const { value, offset } of this.#networks.holders(address)) if (added.has(value)) value.freed(Number(offset), freedAt);
    }
    for (const allocation of this.#allocations.values()) this.#occupy(allocation, { only: added, follow: true });
  }

  /** Marks the addresses as held in the blocks. `follow`: the next address is looked for behind them. */
  #occupy(allocation: Allocation, { only, follow }: { only?: ReadonlySet<HeldBlock>; follow: boolean }): void {
    for (const address of addressesOf(allocation)) {
      for (const { value: held, offset } of this.#networks.holders(address)) {
        if (only && !only.has(held)) continue;
        held.hold(Number(offset));
        if (follow) held.queue.startAfter(Number(offset));
      }
    }
  }

  setTerminatingPools(pools: ReadonlySet<string>): void {
    this.#terminatingPools = pools;
  }

  allocate(key: string, pool: string, now: number, { lastResort = false } = {}): AllocateResult {
    const existing = this.#allocations.get(key);
    if (existing) return { kind: "allocated", allocation: existing, fresh: false };
    const blocks = this.#active(pool);
    // Blocks in use come first, so that the others stay empty and can be given back.
    let spare: { held: HeldBlock; offset: number; freedAt: number } | undefined;
    for (const held of [...blocks.filter(({ used }) => used > 0), ...blocks.filter(({ used }) => used === 0)]) {
      const next = held.queue.peek();
      if (!next) continue;
      const { offset, freedAt } = next;
      if (freedAt === undefined || freedAt + this.#options.reuseDelayMs <= now) return this.#give(key, held, offset, now);
      if (!spare || freedAt < spare.freedAt) spare = { held, offset, freedAt };
    }
    if (!spare) return { kind: "need-block", lastResort: false };
    if (!lastResort && this.freeCount(pool) < 2) return { kind: "need-block", lastResort: true };
    return this.#give(key, spare.held, spare.offset, now);
  }

  #give(key: string, held: HeldBlock, offset: number, now: number): AllocateResult {
    const { name, pool, ipv4, ipv6 } = held.block;
    const at = (network: NonNullable<Block["ipv4"]>): Address => ({
      family: network.address.family,
      value: network.address.value + BigInt(offset),
    });
    const allocation = { key, pool, block: name, ...(ipv4 && { ipv4: at(ipv4) }), ...(ipv6 && { ipv6: at(ipv6) }) };
    this.#hold(allocation, { follow: false });
    this.#lastAllocation.set(pool, now);
    return { kind: "allocated", allocation, fresh: true };
  }

  adopt(allocation: Allocation): string[] {
    const others = addressesOf(allocation).flatMap(({ family, value }) => [...(this.#holders[family].get(value) ?? [])]);
    if (this.#allocations.has(allocation.key)) this.#unhold(allocation.key, () => undefined);
    this.#hold(allocation, { follow: true });
    return [...new Set(others)].filter((key) => key !== allocation.key);
  }

  recall(address: Address, freedAt: number): void {
    this.#recent.add(address, freedAt);
    if (this.#holders[address.family].has(address.value)) return;
    for (const { value: held, offset } of this.#networks.holders(address)) held.freed(Number(offset), freedAt);
  }

  free(key: string, now: number, { unused = false } = {}): Allocation | undefined {
    return this.#unhold(
      key,
      (address) => {
        if (!unused) this.#recent.add(address, now);
        return this.#recent.at(address);
      },
      now,
    );
  }

  #hold(allocation: Allocation, { follow }: { follow: boolean }): void {
    this.#allocations.set(allocation.key, this.#placed(allocation));
    for (const address of addressesOf(allocation)) {
      const keys = this.#holders[address.family].get(address.value) ?? new Set();
      this.#holders[address.family].set(address.value, keys.add(allocation.key));
    }
    this.#occupy(allocation, { follow });
  }

  #unhold(key: string, freedAt: (address: Address) => number | undefined, now?: number): Allocation | undefined {
    const allocation = this.#allocations.get(key);
    if (!allocation) return undefined;
    this.#allocations.delete(key);
    for (const address of addressesOf(allocation)) {
      const keys = this.#holders[address.family].get(address.value);
      keys?.delete(key);
      if (keys?.size === 0) this.#holders[address.family].delete(address.value);
      const at = freedAt(address);
      for (const { value: held, offset } of this.#networks.holders(address)) {
        const empty = held.unhold(Number(offset), at);
        if (empty && now !== undefined) held.releaseAt = now + this.#options.holdMs;
      }
    }
    return allocation;
  }

  /** The allocation with the name of the block it lies in. */
  #placed({ block: _, ...rest }: Allocation): Allocation {
    const holders = addressesOf(rest).flatMap((address) => this.#networks.holders(address));
    const held = holders.find(({ value }) => value.block.pool === rest.pool) ?? holders[0];
    return held ? { ...rest, block: held.value.block.name } : rest;
  }

  get(key: string): Allocation | undefined {
    return this.#allocations.get(key);
  }

  allocations(): Allocation[] {
    return [...this.#allocations.values()];
  }

  #active(pool: string): HeldBlock[] {
    if (this.#terminatingPools.has(pool)) return [];
    return [...this.#blocks.values()].filter(({ block, state }) => block.pool === pool && state === "active");
  }

  freeCount(pool: string): number {
    return this.#active(pool).reduce((sum, { free }) => sum + free, 0);
  }

  usage(): BlockUsage[] {
    return [...this.#blocks.values()].map(({ block, used, free, state }) => ({
      ...{ pool: block.pool, block: block.name, index: block.index, size: block.size },
      ...{ used, free: this.#terminatingPools.has(block.pool) ? 0 : free, state },
    }));
  }

  releasable(now: number): Block[] {
    return this.#releaseTimes().flatMap(({ held, at }) => (at <= now ? [held.block] : []));
  }

  nextDeadline(now: number): number | undefined {
    const later = this.#releaseTimes().flatMap(({ at }) => (at > now ? [at] : []));
    return later.length === 0 ? undefined : Math.min(...later);
  }

  #releaseTimes(): ReleaseTime[] {
    return releaseTimes([...this.#blocks.values()], {
      terminatingPools: this.#terminatingPools,
      busyUntil: (pool) => (this.#lastAllocation.get(pool) ?? -Infinity) + this.#options.holdMs,
    });
  }

  beginRelease(name: string): boolean {
    const held = [...this.#blocks.values()].find(({ block }) => block.name === name);
    if (!held || held.used > 0 || held.state === "reserved" || held.state === "releasing") return false;
    held.releasing = true;
    this.#released.add(held.block.uid);
    for (const oldest of this.#released) {
      if (this.#released.size <= REMEMBERED) break;
      this.#released.delete(oldest);
    }
    return true;
  }

  demand(pool: string, { waiting, blockSize }: { waiting: number; blockSize: number }): number {
    const needed = Math.ceil(waiting / blockSize);
    const free = (waiting === 0 ? this.freeCount(pool) : 0) + needed * blockSize - waiting;
    const used = this.#active(pool).some((held) => held.used > 0);
    return free < lowWater(blockSize) && (used || waiting > 0) ? needed + 1 : needed;
  }
}
