import type { AddressPool } from "../../src/crd/address-pool.ts";
import type { BlockRequest } from "../../src/crd/block-request.ts";
import { type AddressDesk, createAddressDesk } from "../../src/daemon/coild/address-desk.ts";
import { formatAddress } from "../../src/ip/address.ts";
import type { Block } from "../../src/ipam/block.ts";
import { blockAt, blockCount, layoutOf } from "../../src/ipam/layout.ts";
import { createNodeIpam, type NodeIpam } from "../../src/ipam/node-ipam.ts";
import { ApiError, ConnectionError } from "../../src/kube/api-error.ts";
import { createSilentLogger } from "../../src/observe/logger.ts";
import { grantedStatus, refusedStatus } from "../../src/reconcile/block-request-status.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";

/** What happens to the next call. */
export type Fault = "none" | "never arrives" | "reply is lost" | "refused";

/**
 * The API server and the controller as one node sees them: calls that can fail in every way, watches that lag, a controller that
 * works when told to. It exists to put faults between calls that no real server produces on demand.
 */
export class SimulatedBlocks {
  readonly clock: FakeClock = createFakeClock();
  readonly ipam: NodeIpam;
  readonly desk: AddressDesk;
  readonly requests = new Map<string, BlockRequest>();
  readonly blocks = new Map<string, Block>();
  readonly pools = new Map<string, AddressPool>();
  readonly ended = new AbortController();
  /** Calls that changed something, as `verb name`. */
  readonly writes: string[] = [];
  nodeUid: string | undefined = "node-uid";
  fault: Fault = "none";
  down = false;
  /** What the watches have still to tell. */
  readonly #requestNews: { readonly type: "changed" | "deleted"; readonly request: BlockRequest }[] = [];
  readonly #blockNews: Map<string, Block>[] = [];
  readonly #seen = new Map<string, BlockRequest>();
  #serial = 0;

  constructor({ blockSizeBits = 5, subnet = "10.0.0.0/24", waitMs = 10_000, prefetch = true } = {}) {
    this.pools.set("default", pool("default", blockSizeBits, subnet));
    this.ipam = createNodeIpam({ holdMs: 30_000, startHoldMs: 5_000, reuseDelayMs: 30_000 });
    const { ipam, clock } = this;
    const client = { create: this.#create, get: this.#get, delete: this.#delete } as never;
    const read = { pool: (name: string) => this.pools.get(name), request: (name: string) => this.#seen.get(name) };
    this.desk = createAddressDesk(
      {
        ...{ ipam, clock, client, ...read, node: "n1", nodeUid: () => this.nodeUid, signal: this.ended.signal },
        ...{ randomSuffix: () => `s${this.#serial++}`, log: createSilentLogger(), freed: () => {}, countOrder: () => {} },
      },
      { waitMs, prefetch },
    );
    this.desk.setPools([...this.pools.values()]);
    this.desk.setBlocks([]);
  }

  /** The controller answers what it finds; `limit` requests at most. */
  control(limit = Infinity): void {
    for (const request of [...this.requests.values()].filter(({ status }) => !status).slice(0, limit)) {
      const { spec, metadata } = request;
      const free = this.#freeBlock(spec.poolName, metadata.uid as string);
      if (free) {
        this.blocks.set(free.name, free);
        this.#blockNews.push(new Map(this.blocks));
      }
      const status = free ? grantedStatus(free.name, 0) : refusedStatus({ reason: "out of blocks", message: "pool is full" }, 0);
      const answered = { ...request, status };
      this.requests.set(metadata.name, answered);
      this.#requestNews.push({ type: "changed", request: answered });
    }
  }

  /** The watches tell the next of their news. */
  tell({ requests = Infinity, blocks = Infinity }: { requests?: number; blocks?: number } = {}): void {
    for (const { type, request } of this.#requestNews.splice(0, requests)) {
      if (type === "deleted") this.#seen.delete(request.metadata.name);
      else this.#seen.set(request.metadata.name, request);
      if (type === "deleted") this.desk.requestDeleted(request);
      else this.desk.requestChanged(request);
    }
    for (const state of this.#blockNews.splice(0, blocks)) this.desk.setBlocks([...state.values()]);
  }

  /** Gives back what may be given back. */
  release(): void {
    for (const { name } of this.ipam.releasable(this.clock.now())) {
      if (!this.ipam.beginRelease(name)) throw new Error(`${name} was releasable and cannot be released`);
      this.blocks.delete(name);
      this.#blockNews.push(new Map(this.blocks));
    }
  }

  /** Seconds in which the controller, the watches and the clean-up work. */
  async run(seconds: number): Promise<void> {
    for (let i = 0; i < seconds * 2; i++) {
      this.control();
      this.tell();
      this.release();
      this.tell();
      await this.clock.advance(500);
    }
  }

  /** Replaces the state of a pool; undefined: it is gone. */
  setPool(name: string, state: AddressPool | undefined): void {
    if (state) this.pools.set(name, state);
    else this.pools.delete(name);
    this.desk.setPools([...this.pools.values()]);
  }

  /** Starts an allocation; the result tells the address, or the message of the failure. */
  allocate(key: string, { pool = "default", signal = new AbortController().signal } = {}): Promise<string> {
    return this.desk.allocate({ key, pool }, { signal }).then(
      ({ ipv4 }) => formatAddress(ipv4!),
      (error: Error) => error.message,
    );
  }

  #freeBlock(name: string, request: string): Block | undefined {
    const state = this.pools.get(name);
    if (!state || state.metadata.deletionTimestamp) return undefined;
    const layout = layoutOf(state.spec);
    for (let index = 0; index < blockCount(layout); index++) {
      const blockName = `${name}-${index}`;
      if (this.blocks.has(blockName)) continue;
      const size = 2 ** layout.blockSizeBits;
      const flags = { reserved: false, terminating: false };
      return {
        name: blockName,
        uid: `b${this.#serial++}`,
        pool: name,
        node: "n1",
        index,
        size,
        ...flags,
        request,
        ...blockAt(layout, index),
      };
    }
    return undefined;
  }

  async #call(act: () => unknown): Promise<unknown> {
    const fault = this.fault;
    this.fault = "none";
    await Promise.resolve();
    if (this.down || fault === "never arrives") throw new ConnectionError("call", "ECONNREFUSED");
    if (fault === "refused") throw new ApiError("call", { code: 500, reason: "InternalError" });
    const result = act();
    if (fault === "reply is lost") throw new ConnectionError("call", "ETIMEDOUT");
    return result;
  }

  readonly #create = (_: unknown, body: BlockRequest): Promise<unknown> =>
    this.#call(() => {
      const { name } = body.metadata;
      if (this.requests.has(name)) throw new ApiError("create", { code: 409, reason: "AlreadyExists" });
      const request = { ...body, metadata: { ...body.metadata, uid: `r${this.#serial++}` } };
      this.requests.set(name, request);
      this.writes.push(`create ${name}`);
      this.#requestNews.push({ type: "changed", request });
      return request;
    });

  readonly #get = (_: unknown, { name }: { name: string }): Promise<unknown> => this.#call(() => this.requests.get(name));

  readonly #delete = (_: unknown, { name }: { name: string }, { uid }: { uid: string }): Promise<unknown> =>
    this.#call(() => {
      const request = this.requests.get(name);
      if (!request) return "absent";
      if (request.metadata.uid !== uid) throw new ApiError("delete", { code: 409, reason: "Conflict" });
      this.requests.delete(name);
      this.writes.push(`delete ${name}`);
      this.#requestNews.push({ type: "deleted", request });
      return "deleted";
    });
}

/** A pool of one IPv4 subnet. */
export function pool(name: string, blockSizeBits: number, ipv4: string): AddressPool {
  return { metadata: { name, uid: `uid of ${name}`, generation: 1 }, spec: { blockSizeBits, subnets: [{ ipv4 }] } };
}
