import type { AddressBlock } from "../../crd/address-block.ts";
import type { BlockRequest } from "../../crd/block-request.ts";
import { LABEL_NODE, LABEL_POOL } from "../../crd/names.ts";
import { isAnswered } from "../../reconcile/block-request-status.ts";
import type { Caches } from "./caches.ts";
import type { Workers } from "./workers.ts";

/** Turns what the caches tell into work. */
export interface Dispatcher extends Disposable {
  /** Queues all that there is, as if it had just been told of. */
  everything(): void;
}

/** How soon a pool's numbers are looked at after one of its blocks came or went, in ms. */
const COUNTS_DELAY_MS = 1_000;

/** Listens until disposed. `elapsed` as in the workers' dependencies. */
export function createDispatcher(caches: Caches, workers: Workers, { elapsed }: { elapsed: () => number }): Dispatcher {
  const { board, ledger, heardAt } = workers;

  const suspect = (node: string) => {
    if (!caches.nodes.get(node)) workers.nodes.add(node);
  };
  const onRequest = (request: BlockRequest) => {
    const { name, uid = "" } = request.metadata;
    if (isAnswered(request)) return void heardAt.delete(uid);
    if (!heardAt.has(uid)) heardAt.set(uid, elapsed());
    workers.requests.add(name);
  };
  const onPools = () => {
    for (const pool of board.update(caches.pools.list())) workers.pools.add(pool);
  };
  /** A pool being deleted waits for its last block; the numbers of others can wait. */
  const onBlock = ({ metadata: { labels = {} } }: AddressBlock) => {
    const pool = labels[LABEL_POOL] ?? "";
    if (board.standing(pool)?.kind === "terminating") workers.pools.add(pool);
    else workers.pools.addAfter(pool, COUNTS_DELAY_MS);
    suspect(labels[LABEL_NODE] ?? "");
  };

  const listening = new DisposableStack();
  listening.defer(
    caches.pools.onChange(({ object }) => {
      onPools();
      workers.pools.add(object.metadata.name);
    }),
  );
  listening.defer(
    caches.blocks.onChange(({ type, object }) => {
      if (type === "deleted") ledger.forget(object);
      else ledger.observe(object);
      onBlock(object);
    }),
  );
  listening.defer(
    caches.requests.onChange(({ type, object }) => {
      if (type === "deleted") heardAt.delete(object.metadata.uid ?? "");
      else onRequest(object);
      suspect(object.spec.nodeName);
    }),
  );
  listening.defer(
    caches.nodes.onChange(({ type, object }) => {
      if (type === "deleted") workers.nodes.add(object.metadata.name);
    }),
  );
  return {
    everything() {
      onPools();
      for (const { metadata } of caches.pools.list()) workers.pools.add(metadata.name);
      for (const { metadata } of caches.blocks.list()) suspect(metadata.labels?.[LABEL_NODE] ?? "");
      for (const request of caches.requests.list()) {
        onRequest(request);
        suspect(request.spec.nodeName);
      }
    },
    [Symbol.dispose]: () => listening.dispose(),
  };
}
