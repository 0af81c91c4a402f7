import type { BlockRequest } from "../../crd/block-request.ts";
import { blockRequests } from "../../crd/resources.ts";
import type { Block } from "../../ipam/block.ts";
import { ApiError, isApiError } from "../../kube/api-error.ts";
import { type BackoffOptions, backoffMs } from "../../kube/backoff.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { Clock } from "../../kube/clock.ts";
import type { Logger } from "../../observe/logger.ts";
import { discardRequest } from "./discard-request.ts";

/** How an order ended. */
export type OrderOutcome =
  | { readonly kind: "filled" }
  | { readonly kind: "refused"; readonly reason: string; readonly message: string }
  /** The API server does not take the request. */
  | { readonly kind: "failed"; readonly error: ApiError }
  /** Somebody deleted the request. */
  | { readonly kind: "lost" };

export interface BlockOrdersDeps {
  readonly pool: string;
  readonly node: string;
  readonly client: Pick<KubeClient, "create" | "delete" | "get">;
  /** UID of the Node object, which owns the requests; undefined while there is no such object. */
  readonly nodeUid: () => string | undefined;
  /** The request as the watch knows it. */
  readonly request: (name: string) => BlockRequest | undefined;
  /** Whether the node has the block already. */
  readonly hasBlock: (match: { readonly name?: string | undefined; readonly request: string }) => boolean;
  readonly ended: (outcome: OrderOutcome) => void;
  /** Lower-case letters and digits, different each time. */
  readonly randomSuffix: () => string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends everything. */
  readonly signal: AbortSignal;
}

/** Requests for blocks of one pool that are under way. Matched by UID, so that an answer to an earlier request is never taken for another's. */
export interface BlockOrders {
  readonly open: number;
  /** Why requests cannot be made at the moment, if so. */
  readonly trouble: string | undefined;
  /** Asks for so many blocks more. */
  place(count: number): void;
  /** Takes back so many orders, the latest first. A block that was granted already comes all the same. */
  withdraw(count: number): void;
  /** The watch told of a request of this pool. */
  requestChanged(request: BlockRequest): void;
  requestDeleted(uid: string): void;
  /** The node has a block that it did not have before. */
  blockAppeared(block: Block): void;
}

interface Order {
  name: string;
  uid?: string;
  /** Whether a request of this name may have been created although no answer came. */
  sent: boolean;
  /** The granted block, while the watch of blocks has not told of it. */
  block?: string;
  readonly ended: AbortController;
}

const RETRY: BackoffOptions = { baseMs: 200, maxMs: 5_000 };
/** How long to trust that the watch tells of an answer, in ms. */
const DOUBT_MS = 30_000;
/** How long the watch of blocks may lag behind the answer, in ms. */
const BLOCK_LAG_MS = 5_000;

/** No orders yet. */
export function createBlockOrders(deps: BlockOrdersDeps): BlockOrders {
  return new Orders(deps);
}

class Orders implements BlockOrders {
  readonly #deps: BlockOrdersDeps;
  readonly #open = new Set<Order>();
  trouble: string | undefined;

  constructor(deps: BlockOrdersDeps) {
    this.#deps = deps;
    const stop = () => {
      for (const order of this.#open) order.ended.abort(deps.signal.reason);
    };
    deps.signal.addEventListener("abort", stop, { once: true });
  }

  get open(): number {
    return this.#open.size;
  }

  place(count: number): void {
    for (let i = 0; i < count; i++) {
      const order: Order = { name: this.#freeName(), sent: false, ended: new AbortController() };
      this.#open.add(order);
      void this.#create(order);
    }
  }

  withdraw(count: number): void {
    for (const order of [...this.#open].slice(this.#open.size - count)) this.#close(order, undefined);
  }

  requestChanged(request: BlockRequest): void {
    const { name, uid } = request.metadata;
    if (uid === undefined) return;
    for (const order of [...this.#open]) {
      if (order.uid === uid) this.#look(order, uid, request);
      else if (order.uid === undefined && order.sent && order.name === name && this.#isOurs(request)) this.#created(order, uid);
    }
  }

  requestDeleted(uid: string): void {
    for (const order of this.#open) {
      // A block that was granted by then is on its way.
      if (order.uid === uid && order.block === undefined) this.#close(order, { kind: "lost" });
    }
  }

  blockAppeared(block: Block): void {
    for (const order of this.#open) {
      const granted = order.block === block.name || (order.uid !== undefined && order.uid === block.request);
      if (granted) this.#close(order, { kind: "filled" });
    }
  }

  /** The name that the Go implementation uses too; with a suffix for further orders. */
  #freeName(): string {
    const plain = this.#plainName();
    return [...this.#open].some(({ name }) => name === plain) ? `${plain}-${this.#deps.randomSuffix()}` : plain;
  }

  #plainName(): string {
    return `req-${this.#deps.pool}-${this.#deps.node}`;
  }

  #isOurs({ spec }: BlockRequest): boolean {
    return spec.poolName === this.#deps.pool && spec.nodeName === this.#deps.node;
  }

  /** Sees to it that the request exists; a creation under way is never broken off, or a request could be left that nobody knows. */
  async #create(order: Order): Promise<void> {
    const { client, log, signal } = this.#deps;
    for (let failures = 0; this.#open.has(order) && order.uid === undefined && !signal.aborted; ) {
      try {
        const body = this.#body(order.name);
        if (body) {
          const { metadata } = await client.create(blockRequests, body, { signal });
          this.trouble = undefined;
          this.#created(order, metadata.uid as string);
          return;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (isApiError(error, "AlreadyExists")) {
          if (await this.#nameTaken(order)) continue;
        } else if (error instanceof ApiError && error.status < 500 && error.status !== 429) {
          this.#close(order, { kind: "failed", error });
          return;
        } else {
          order.sent = true;
          this.trouble = error instanceof Error ? error.message : String(error);
          log.warn({ err: error, request: order.name }, "cannot ask for a block: trying again");
        }
      }
      await this.#sleep(order, backoffMs(RETRY, ++failures));
    }
  }

  /** Ends early when the order ends. */
  async #sleep(order: Order, ms: number): Promise<void> {
    if (this.#deps.signal.aborted) return;
    await this.#deps.clock.sleep(ms, { signal: order.ended.signal }).catch(() => undefined);
  }

  #body(name: string): BlockRequest | undefined {
    const { pool, node, nodeUid } = this.#deps;
    const uid = nodeUid();
    if (uid === undefined) return undefined;
    return {
      metadata: { name, ownerReferences: [{ apiVersion: "v1", kind: "Node", name: node, uid }] },
      spec: { nodeName: node, poolName: pool },
    };
  }

  /**
   * The request is our own if an earlier try was stored and its answer lost; else it is another's, or of an earlier life. Returns
   * whether to go on at once.
   */
  async #nameTaken(order: Order): Promise<boolean> {
    if (order.sent) {
      const { client, log, signal } = this.#deps;
      try {
        const existing = await client.get(blockRequests, { name: order.name }, { signal });
        if (!existing) return true;
        if (existing.metadata.uid !== undefined && this.#isOurs(existing)) {
          this.#created(order, existing.metadata.uid);
          return true;
        }
      } catch (err) {
        log.warn({ err, request: order.name }, "cannot look at a request: trying again");
        return false;
      }
    }
    order.name = `${this.#plainName()}-${this.#deps.randomSuffix()}`;
    order.sent = false;
    return true;
  }

  /** The order's request exists; looks whether it was answered meanwhile. */
  #created(order: Order, uid: string): void {
    if (!this.#open.has(order)) {
      // Withdrawn while it was being created.
      this.#discard(order.name, uid);
      return;
    }
    order.uid = uid;
    this.#look(order, uid, this.#deps.request(order.name));
    void this.#watchOver(order, uid);
  }

  /** Takes the answer, if there is one. */
  #look(order: Order, uid: string, request: BlockRequest | undefined): void {
    const conditions = request?.metadata.uid === uid ? (request.status?.conditions ?? []) : [];
    const failed = conditions.find(({ type, status }) => type === "Failed" && status === "True");
    const complete = conditions.some(({ type, status }) => type === "Complete" && status === "True");
    const block = request?.status?.addressBlockName;
    if (failed) {
      this.#close(order, { kind: "refused", reason: failed.reason ?? "", message: failed.message ?? "" });
    } else if (this.#deps.hasBlock({ name: complete ? block : undefined, request: uid })) {
      this.#close(order, { kind: "filled" });
    } else if (complete && block !== undefined && order.block === undefined) {
      order.block = block;
      void this.#awaitBlock(order);
    }
  }

  /** Asks directly now and then: a watch may have missed that the request was deleted. */
  async #watchOver(order: Order, uid: string): Promise<void> {
    const { client, signal, log } = this.#deps;
    for (;;) {
      await this.#sleep(order, DOUBT_MS);
      if (!this.#open.has(order) || signal.aborted) return;
      try {
        const request = await client.get(blockRequests, { name: order.name }, { signal });
        if (!this.#open.has(order)) return;
        if (request?.metadata.uid === uid) this.#look(order, uid, request);
        else this.#close(order, { kind: "lost" });
      } catch (err) {
        if (!signal.aborted) log.debug({ err, request: order.name }, "cannot look at a request");
      }
    }
  }

  /** A block that does not show up was taken back: the order must not count on it for ever. */
  async #awaitBlock(order: Order): Promise<void> {
    const { log, signal } = this.#deps;
    await this.#sleep(order, BLOCK_LAG_MS);
    if (!this.#open.has(order) || signal.aborted) return;
    log.warn({ block: order.block, request: order.name }, "a block was granted and did not appear");
    this.#close(order, { kind: "lost" });
  }

  #close(order: Order, outcome: OrderOutcome | undefined): void {
    this.#open.delete(order);
    // Whoever creates the request at this moment sees it through, and discards it then.
    if (order.uid !== undefined) this.#discard(order.name, order.uid);
    order.ended.abort(new Error("The order has ended"));
    if (outcome) this.#deps.ended(outcome);
  }

  #discard(name: string, uid: string): void {
    void discardRequest(this.#deps, { name, uid });
  }
}
