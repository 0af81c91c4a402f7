import type { AddressPool } from "../../crd/address-pool.ts";
import type { BlockRequest } from "../../crd/block-request.ts";
import type { Address } from "../../ip/address.ts";
import { type Allocation, addressesOf } from "../../ipam/allocation.ts";
import type { Block } from "../../ipam/block.ts";
import type { NodeIpam } from "../../ipam/node-ipam.ts";
import type { Clock } from "../../kube/clock.ts";
import { AllocationError } from "./allocation-error.ts";
import { createPoolAgent, type PoolAgent, type PoolAgentDeps, type PoolAgentOptions } from "./pool-agent.ts";
import { poolStanding } from "./pool-standing.ts";

/** What the desk needs; the rest of what agents need is passed through. */
export interface AddressDeskDeps
  extends Pick<PoolAgentDeps, "node" | "client" | "nodeUid" | "request" | "randomSuffix" | "log" | "signal"> {
  readonly ipam: NodeIpam;
  readonly pool: (name: string) => AddressPool | undefined;
  readonly clock: Clock;
  /** Addresses that pods had are free again. */
  readonly freed: (addresses: readonly Address[]) => void;
  readonly countOrder: (pool: string, result: string) => void;
}

/** Gives addresses to pods and takes them back; one agent for each pool does the waiting. */
export interface AddressDesk {
  /** The addresses of an attachment. Rejects with {@link AllocationError} or with the signal's reason. */
  allocate(want: { key: string; pool: string }, options: { readonly signal: AbortSignal }): Promise<Allocation>;
  /** Call it only when the kernel has no link of the key. `unused`: no pod ever had the addresses. */
  free(key: string, options?: { readonly unused?: boolean }): void;
  /** All blocks of the node. */
  setBlocks(blocks: readonly Block[]): void;
  /** The pools that exist, by name. */
  setPools(pools: readonly AddressPool[]): void;
  requestChanged(request: BlockRequest): void;
  requestDeleted(request: BlockRequest): void;
  /** By pool: pods that wait, and blocks on order. */
  queues(): { readonly pool: string; readonly waiting: number; readonly ordered: number }[];
}

/** A desk without blocks. */
export function createAddressDesk(deps: AddressDeskDeps, options: PoolAgentOptions): AddressDesk {
  return new Desk(deps, options);
}

class Desk implements AddressDesk {
  readonly #deps: AddressDeskDeps;
  readonly #options: PoolAgentOptions;
  readonly #agents = new Map<string, PoolAgent>();
  /** By UID. */
  #blocks = new Map<string, Block>();
  /** What of each pool decides whether its agent has to know: pools change often, by their status. */
  #pools = new Map<string, string>();

  constructor(deps: AddressDeskDeps, options: PoolAgentOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  async allocate({ key, pool }: { key: string; pool: string }, options: { readonly signal: AbortSignal }): Promise<Allocation> {
    if (this.#deps.nodeUid() === undefined) {
      throw new AllocationError("node-gone", `there is no Node object ${this.#deps.node}`);
    }
    // Names of pools come from annotations: no agent for each misspelling.
    if (!this.#deps.pool(pool) && !this.#agents.has(pool)) throw new AllocationError("unknown-pool", "there is no such pool");
    return await this.#agent(pool).allocate(key, options);
  }

  free(key: string, { unused = false } = {}): void {
    const { ipam, clock, freed } = this.#deps;
    const allocation = ipam.free(key, clock.now(), { unused });
    if (!allocation) return;
    if (!unused) freed(addressesOf(allocation));
    this.#agents.get(allocation.pool)?.blocksChanged([]);
  }

  setBlocks(blocks: readonly Block[]): void {
    const added = blocks.filter(({ uid }) => !this.#blocks.has(uid));
    this.#blocks = new Map(blocks.map((block) => [block.uid, block]));
    this.#deps.ipam.setBlocks(blocks, this.#deps.clock.now());
    this.#retirePools();
    const byPool = Map.groupBy(added, ({ pool }) => pool);
    for (const [pool, agent] of this.#agents) agent.blocksChanged(byPool.get(pool) ?? []);
  }

  setPools(pools: readonly AddressPool[]): void {
    const before = this.#pools;
    this.#pools = new Map(pools.map((pool) => [pool.metadata.name, fingerprint(pool)]));
    this.#retirePools();
    for (const [name, agent] of this.#agents) if (before.get(name) !== this.#pools.get(name)) agent.poolChanged();
  }

  /** Pools that give nothing any more: those being deleted, and those that are gone although blocks remain. */
  #retirePools(): void {
    const usable = (name: string) => poolStanding(this.#deps.pool(name)).kind === "usable";
    const names = new Set([...this.#blocks.values()].map(({ pool }) => pool));
    this.#deps.ipam.setTerminatingPools(new Set([...names].filter((name) => !usable(name))));
  }

  requestChanged(request: BlockRequest): void {
    this.#agents.get(request.spec.poolName)?.requestChanged(request);
  }

  requestDeleted(request: BlockRequest): void {
    this.#agents.get(request.spec.poolName)?.requestDeleted(request.metadata.uid ?? "");
  }

  queues(): { pool: string; waiting: number; ordered: number }[] {
    return [...this.#agents].map(([pool, { waiting, ordered }]) => ({ pool, waiting, ordered }));
  }

  #agent(name: string): PoolAgent {
    const known = this.#agents.get(name);
    if (known) return known;
    const { ipam, node, client, nodeUid, request, randomSuffix, clock, log, signal, pool, countOrder } = this.#deps;
    const deps: PoolAgentDeps = {
      ...{ pool: name, ipam, node, client, nodeUid, request, randomSuffix, clock, signal },
      log: log.child({ pool: name }),
      standing: () => poolStanding(pool(name)),
      hasBlock: (match) => this.#hasBlock(match),
      count: (result) => countOrder(name, result),
    };
    const agent = createPoolAgent(deps, this.#options);
    this.#agents.set(name, agent);
    return agent;
  }

  #hasBlock({ name, request }: { name?: string | undefined; request: string }): boolean {
    for (const block of this.#blocks.values()) if (block.request === request || block.name === name) return true;
    return false;
  }
}

function fingerprint({ metadata }: AddressPool): string {
  return [metadata.uid, metadata.generation, metadata.deletionTimestamp].join(" ");
}
