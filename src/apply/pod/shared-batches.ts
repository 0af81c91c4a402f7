import type { KernelError } from "../../linux/kernel-error.ts";
import type { RouteRequest } from "../../linux/route/request.ts";
import type { RouteSocket } from "../../linux/route/socket.ts";

/** Batches of many callers through one socket. */
export interface SharedBatches {
  /** As `RouteSocket.tryBatch`: one result a request, in order. */
  tryBatch(requests: readonly RouteRequest[]): Promise<(KernelError | undefined)[]>;
}

interface Waiting {
  readonly requests: readonly RouteRequest[];
  readonly result: PromiseWithResolvers<(KernelError | undefined)[]>;
}

/** What goes into one datagram; whoever comes next should not wait for long. */
const MOST_REQUESTS = 64;

/**
 * Sends what came while the kernel was at work as one datagram: under load, a pod's set-up then costs a fraction of a switch between
 * threads instead of several. The kernel goes on after a failed request, so callers do not feel each other's failures.
 */
export function createSharedBatches(socket: Pick<RouteSocket, "tryBatch">): SharedBatches {
  const waiting: Waiting[] = [];
  let busy = false;

  async function work(): Promise<void> {
    busy = true;
    for (let batch = take(); batch.length > 0; batch = take()) {
      try {
        const results = await socket.tryBatch(batch.flatMap(({ requests }) => requests));
        for (const { requests, result } of batch) result.resolve(results.splice(0, requests.length));
      } catch (error) {
        for (const { result } of batch) result.reject(error);
      }
    }
    busy = false;
  }

  function take(): Waiting[] {
    let count = 0;
    const size = waiting.findIndex(({ requests }, i) => {
      count += requests.length;
      return i > 0 && count > MOST_REQUESTS;
    });
    return waiting.splice(0, size < 0 ? waiting.length : size);
  }

  return {
    tryBatch(requests) {
      const entry: Waiting = { requests, result: Promise.withResolvers() };
      waiting.push(entry);
      if (!busy) void work();
      return entry.result.promise;
    },
  };
}
