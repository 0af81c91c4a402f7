import type { BlockRequest } from "../../crd/block-request.ts";
import type { Allocation } from "../../ipam/allocation.ts";
import type { Block } from "../../ipam/block.ts";
import type { NodeIpam } from "../../ipam/node-ipam.ts";
import type { Clock } from "../../kube/clock.ts";
import { AllocationError } from "./allocation-error.ts";
import { type BlockOrders, type BlockOrdersDeps, createBlockOrders, type OrderOutcome } from "./block-orders.ts";
import type { PoolStanding } from "./pool-standing.ts";
import { usageText } from "./usage-text.ts";

/** Times in ms. */
export interface PoolAgentOptions {
  /** How long one pod waits for an address. */
  readonly waitMs: number;
  /** Whether to keep one block in stock when addresses run low. */
  readonly prefetch: boolean;
}

export interface PoolAgentDeps extends Omit<BlockOrdersDeps, "ended" | "hasBlock"> {
  readonly ipam: Pick<NodeIpam, "allocate" | "get" | "demand" | "usage">;
  readonly standing: () => PoolStanding;
  readonly hasBlock: BlockOrdersDeps["hasBlock"];
  readonly count: (result: OrderOutcome["kind"]) => void;
}

/** What owns one pool on this node: who waits for an address of it, and which blocks are on order. No lock is held while anybody waits. */
export interface PoolAgent {
  /** The addresses of the key. Rejects with {@link AllocationError}, or with the signal's reason; then the key holds nothing new. */
  allocate(key: string, options: { readonly signal: AbortSignal }): Promise<Allocation>;
  readonly waiting: number;
  readonly ordered: number;
  /** The node's blocks have changed; `added` are those of this pool that are new. */
  blocksChanged(added: readonly Block[]): void;
  /** The pool's object has changed, appeared or gone. */
  poolChanged(): void;
  requestChanged(request: BlockRequest): void;
  requestDeleted(uid: string): void;
}

interface Waiter {
  readonly key: string;
  /** May have an address that was freed a moment ago. */
  lastResort: boolean;
  readonly settle: (result: Allocation | Error) => void;
}

/** For how long a refusal is the answer to those who ask next, in ms. */
const REFUSAL_MS = 1_000;
/** How long a pod waits for a block before it takes an address that was freed a moment ago, in ms. */
const PATIENCE_MS = 1_000;
/** After a refusal no block is ordered for the stock for this time, in ms. */
const STOCK_PAUSE_MS = 60_000;
/** How long orders are left standing when nobody waits any more, in ms: the runtime tries again soon. */
const IDLE_ORDER_MS = 60_000;
/** Requests of one pool at the same time. */
const MOST_ORDERS = 16;

/** An agent that knows of no blocks and no pods. */
export function createPoolAgent(deps: PoolAgentDeps, options: PoolAgentOptions): PoolAgent {
  return new Agent(deps, options);
}

class Agent implements PoolAgent {
  readonly #deps: PoolAgentDeps;
  readonly #options: PoolAgentOptions;
  readonly #clock: Clock;
  readonly #orders: BlockOrders;
  readonly #waiters = new Set<Waiter>();
  #refusal: { readonly error: AllocationError; readonly at: number } | undefined;
  #stockPausedUntil = -Infinity;
  /** Orders that brought a block. */
  #filled = 0;
  /** Ends the wait for the moment when orders are withdrawn. */
  #idle: AbortController | undefined;

  constructor(deps: PoolAgentDeps, options: PoolAgentOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#clock = deps.clock;
    this.#orders = createBlockOrders({ ...deps, ended: (outcome) => this.#orderEnded(outcome) });
    deps.signal.addEventListener("abort", () => this.#stop(), { once: true });
  }

  #stop(): void {
    const reason = this.#deps.signal.reason as Error;
    for (const waiter of [...this.#waiters]) waiter.settle(reason);
    this.#idle?.abort(reason);
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  get ordered(): number {
    return this.#orders.open;
  }

  async allocate(key: string, { signal }: { readonly signal: AbortSignal }): Promise<Allocation> {
    signal.throwIfAborted();
    const existing = this.#deps.ipam.get(key);
    if (existing) return existing;
    this.#throwUnlessUsable();
    const result = this.#try(key, false);
    if (result.kind === "allocated") {
      this.#order({ stock: true });
      return result.allocation;
    }
    if (this.#refusal && this.#refusal.at + REFUSAL_MS > this.#clock.now()) {
      const spare = result.lastResort ? this.#try(key, true) : result;
      if (spare.kind === "allocated") return spare.allocation;
      throw this.#refusal.error;
    }
    return this.#wait(key, { lastResort: result.lastResort, signal });
  }

  blocksChanged(added: readonly Block[]): void {
    if (added.length > 0) this.#refusal = undefined;
    // First who waits, then the orders: what is still missing then is what is ordered.
    const served = this.#serve();
    for (const block of added) this.#orders.blockAppeared(block);
    this.#order({ stock: served > 0 });
  }

  poolChanged(): void {
    this.#refusal = undefined;
    try {
      this.#throwUnlessUsable();
    } catch (error) {
      for (const waiter of [...this.#waiters]) waiter.settle(error as AllocationError);
      this.#orders.withdraw(this.#orders.open);
      return;
    }
    this.#serve();
    this.#order();
  }

  requestChanged(request: BlockRequest): void {
    this.#orders.requestChanged(request);
  }

  requestDeleted(uid: string): void {
    this.#orders.requestDeleted(uid);
  }

  #try(key: string, lastResort: boolean) {
    return this.#deps.ipam.allocate(key, this.#deps.pool, this.#clock.now(), { lastResort });
  }

  #throwUnlessUsable(): void {
    const standing = this.#deps.standing();
    if (standing.kind === "unknown") throw new AllocationError("unknown-pool", "there is no such pool");
    if (standing.kind === "terminating") throw new AllocationError("pool-terminating", "the pool is being deleted");
  }

  async #wait(key: string, { lastResort, signal }: { lastResort: boolean; signal: AbortSignal }): Promise<Allocation> {
    const { promise, resolve, reject } = Promise.withResolvers<Allocation>();
    const ended = new AbortController();
    const waiter: Waiter = {
      key,
      lastResort: false,
      settle: (result) => {
        this.#waiters.delete(waiter);
        ended.abort(new Error("The wait has ended"));
        if (result instanceof Error) reject(result);
        else resolve(result);
      },
    };
    const leave = () => waiter.settle(signal.reason as Error);
    signal.addEventListener("abort", leave, { once: true });
    this.#waiters.add(waiter);
    this.#idle?.abort(new Error("Somebody waits"));
    this.#order();
    if (lastResort) void this.#losePatience(waiter, ended.signal);
    void this.#after(this.#options.waitMs, ended.signal, () => this.#timeOut(waiter));
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", leave);
      if (this.#waiters.size === 0) this.#startIdle();
    }
  }

  async #after(ms: number, signal: AbortSignal, action: () => void): Promise<void> {
    try {
      await this.#clock.sleep(ms, { signal });
    } catch {
      return;
    }
    action();
  }

  /** Waits as long as blocks keep coming. */
  async #losePatience(waiter: Waiter, signal: AbortSignal): Promise<void> {
    let seen: number;
    do {
      seen = this.#filled;
      await this.#clock.sleep(PATIENCE_MS, { signal }).catch(() => undefined);
    } while (seen !== this.#filled && !signal.aborted);
    if (!signal.aborted) this.#resort(waiter);
  }

  #resort(waiter: Waiter): void {
    waiter.lastResort = true;
    this.#serve();
  }

  #timeOut(waiter: Waiter): void {
    this.#resort(waiter);
    if (!this.#waiters.has(waiter)) return;
    const seconds = Math.round(this.#options.waitMs / 100) / 10;
    const { trouble } = this.#orders;
    const why = trouble ? `the API server cannot be asked: ${trouble}` : "is coil-ipam-controller running?";
    waiter.settle(new AllocationError("timeout", `no block was granted within ${seconds} s: ${why} (${this.#usage()})`));
  }

  /** Gives addresses to those who wait, first come, first served. Returns how many got one. */
  #serve(): number {
    let served = 0;
    for (const waiter of [...this.#waiters]) {
      const result = this.#try(waiter.key, waiter.lastResort);
      if (result.kind !== "allocated") continue;
      waiter.settle(result.allocation);
      served++;
    }
    return served;
  }

  /** Places the orders that are missing; `stock`: pods come, so that it is time to look after the stock as well. */
  #order({ stock = false } = {}): void {
    const { ipam, standing, pool } = this.#deps;
    const now = this.#clock.now();
    const usable = standing();
    const refused = this.#refusal !== undefined && this.#refusal.at + REFUSAL_MS > now;
    if (usable.kind !== "usable" || refused) return;
    const waiting = this.#waiters.size;
    const { blockSize } = usable;
    const forStock = this.#options.prefetch && now >= this.#stockPausedUntil && (stock || waiting > 0);
    const wanted = forStock ? ipam.demand(pool, { waiting, blockSize }) : Math.ceil(waiting / blockSize);
    const missing = Math.min(wanted, MOST_ORDERS) - this.#orders.open;
    if (missing > 0) this.#orders.place(missing);
  }

  #orderEnded(outcome: OrderOutcome): void {
    this.#deps.count(outcome.kind);
    switch (outcome.kind) {
      case "filled":
        this.#filled++;
        this.#order();
        return;
      case "lost":
        this.#order();
        void this.#after(REFUSAL_MS, this.#deps.signal, () => this.#order());
        return;
      case "failed":
        this.#refuse(new AllocationError("api", `cannot ask for a block: ${outcome.error.message}`, { cause: outcome.error }));
        return;
      case "refused": {
        const known = outcome.reason === "out of blocks" ? "the pool has no free block" : undefined;
        const text = known ?? (outcome.message || outcome.reason || "the controller refused a block");
        this.#refuse(new AllocationError("no-block", `${text} (${this.#usage()})`));
        return;
      }
    }
  }

  /** Tells those for whom no block is on order any more. */
  #refuse(error: AllocationError): void {
    const now = this.#clock.now();
    this.#refusal = { error, at: now };
    this.#stockPausedUntil = now + STOCK_PAUSE_MS;
    const standing = this.#deps.standing();
    const coming = standing.kind === "usable" ? this.#orders.open * standing.blockSize : 0;
    const unlucky = [...this.#waiters].slice(coming);
    for (const waiter of unlucky) waiter.lastResort = true;
    this.#serve();
    for (const waiter of unlucky) if (this.#waiters.has(waiter)) waiter.settle(error);
  }

  /** Withdraws, after a while, what was ordered for pods that have given up. */
  #startIdle(): void {
    if (this.#orders.open === 0 || this.#deps.signal.aborted) return;
    this.#idle?.abort(new Error("Begun again"));
    this.#idle = new AbortController();
    void this.#after(IDLE_ORDER_MS, this.#idle.signal, () => {
      if (this.#waiters.size === 0) this.#orders.withdraw(this.#orders.open);
    });
  }

  #usage(): string {
    return usageText(this.#deps.node, this.#deps.ipam.usage(), this.#deps.pool);
  }
}
