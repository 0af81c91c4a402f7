import { KernelError } from "../kernel-error.ts";
import { errnoOf } from "../syscall/errno.ts";
import { failureOf } from "./acknowledgement.ts";
import { NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NLMSG_ERROR, NLMSG_NOOP } from "./constants.ts";
import { readDump } from "./dump.ts";
import { MESSAGE_HEADER_BYTES, type NetlinkMessage, readMessages, writeMessage } from "./message.ts";
import type { NetlinkRequest } from "./request.ts";
import { createSerialQueue, type SerialQueue } from "./serial-queue.ts";
import type { NetlinkTransport } from "./transport.ts";
import { MessageWriter } from "./writer.ts";

/** An answer takes about 1 KiB of the receive buffer, whose default is 208 KiB: what is sent at once must not overflow it. */
const LARGEST_BATCH_REQUESTS = 128;
const LARGEST_BATCH_BYTES = 65536;

/** What every call may be given. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Requests and answers over one netlink socket of any protocol whose kernel side answers while the request is being sent
 * (rtnetlink, nfnetlink, generic netlink). Calls are queued and run in order. A call that is aborted while it waits is never
 * sent; one that is aborted later rejects when the kernel has answered all that was sent, so nothing of it is still going on
 * then.
 */
export interface NetlinkSocket extends Disposable {
  /**
   * Sends all in one datagram, or a few when they are many. One result a request, in order; the kernel goes on after a failed
   * one.
   */
  tryBatch(requests: readonly NetlinkRequest[], options?: CallOptions): Promise<(KernelError | undefined)[]>;
  /** As `tryBatch`, but rejects with the first {@link KernelError}. What comes after the failed request was done nevertheless. */
  batch(requests: readonly NetlinkRequest[], options?: CallOptions): Promise<void>;
  /**
   * Asks for one object: `decode` of the last message that comes before the acknowledgement. Rejects with {@link KernelError}.
   */
  get<T>(request: NetlinkRequest, decode: (message: NetlinkMessage) => T, options?: CallOptions): Promise<T | undefined>;
  /**
   * Asks for many: what `decode` gives for each message, but for undefined. A dump that changes interrupted is repeated, and
   * rejects with {@link KernelError} `EINTR` when that does not help.
   */
  dump<T>(request: NetlinkRequest, decode: (message: NetlinkMessage) => T | undefined, options?: CallOptions): Promise<T[]>;
}

/**
 * A socket that owns `transport`. Disposing rejects what waits, and closes the transport when the call that runs has ended.
 * Requests are numbered from `firstSequence` on, 1 if absent.
 */
export function createNetlinkSocket(
  transport: NetlinkTransport,
  options: { readonly firstSequence?: number } = {},
): NetlinkSocket {
  return new Socket(transport, options.firstSequence ?? 1);
}

class Socket implements NetlinkSocket {
  readonly #transport: NetlinkTransport;
  readonly #queue: SerialQueue = createSerialQueue();
  readonly #writer = new MessageWriter(4096);
  #next: number;

  constructor(transport: NetlinkTransport, firstSequence: number) {
    this.#transport = transport;
    this.#next = firstSequence;
  }

  tryBatch(requests: readonly NetlinkRequest[], { signal }: CallOptions = {}): Promise<(KernelError | undefined)[]> {
    return this.#queue.run(async () => {
      const results: (KernelError | undefined)[] = [];
      for (let from = 0; from < requests.length; ) {
        signal?.throwIfAborted();
        const to = endOfDatagram(requests, from);
        results.push(...(await this.#exchange(requests.slice(from, to))));
        from = to;
      }
      signal?.throwIfAborted();
      return results;
    }, signal);
  }

  async batch(requests: readonly NetlinkRequest[], options?: CallOptions): Promise<void> {
    const results = await this.tryBatch(requests, options);
    const failure = results.find((result) => result !== undefined);
    if (failure) throw failure;
  }

  get<T>(request: NetlinkRequest, decode: (message: NetlinkMessage) => T, { signal }: CallOptions = {}): Promise<T | undefined> {
    return this.#queue.run(async () => {
      let value: T | undefined;
      const [failure] = await this.#exchange([request], (message) => {
        value = decode(message);
      });
      signal?.throwIfAborted();
      if (failure) throw failure;
      return value;
    }, signal);
  }

  dump<T>(
    request: NetlinkRequest,
    decode: (message: NetlinkMessage) => T | undefined,
    { signal }: CallOptions = {},
  ): Promise<T[]> {
    return this.#queue.run(async () => {
      const values = await readDump({
        operation: request.describe,
        transport: this.#transport,
        start: () => this.#write([request], NLM_F_REQUEST | NLM_F_DUMP),
        decode,
        signal,
      });
      signal?.throwIfAborted();
      return values;
    }, signal);
  }

  [Symbol.dispose](): void {
    const reason = () => new KernelError({ operation: "use a netlink socket that is closed", errno: errnoOf("EBADF") });
    // Not while a call runs on another thread: the number could name another file before that thread gets to it.
    this.#queue.close(reason, () => this.#transport[Symbol.dispose]());
  }

  #write(requests: readonly NetlinkRequest[], flags: number): { datagram: Uint8Array; sequence: number } {
    const first = this.#next;
    this.#writer.reset();
    for (const { type, flags: own, payload } of requests) {
      writeMessage(this.#writer, { type, flags: own | flags, sequence: this.#next }, payload);
      this.#next = (this.#next + 1) >>> 0;
    }
    return { datagram: this.#writer.written, sequence: first };
  }

  async #exchange(
    requests: readonly NetlinkRequest[],
    onMessage?: (message: NetlinkMessage) => void,
  ): Promise<(KernelError | undefined)[]> {
    const { datagram, sequence: first } = this.#write(requests, NLM_F_REQUEST | NLM_F_ACK);
    await this.#transport.send(datagram);
    const results = new Array<KernelError | undefined>(requests.length).fill(undefined);
    for (let missing = requests.length; missing > 0; ) {
      const view = this.#transport.receive();
      if (!view)
        throw new KernelError({ operation: requests[0]!.describe, errno: errnoOf("EBADMSG"), detail: "an answer is missing" });
      for (const message of readMessages(view)) {
        const request = requests[(message.sequence - first) >>> 0];
        // An answer to an earlier call, which failed before it had read them all.
        if (!request) continue;
        if (message.type === NLMSG_ERROR) {
          results[(message.sequence - first) >>> 0] = failureOf(message, request.describe);
          missing--;
        } else if (message.type !== NLMSG_NOOP) {
          onMessage?.(message);
        }
      }
    }
    return results;
  }
}

function endOfDatagram(requests: readonly NetlinkRequest[], from: number): number {
  let size = 0;
  let to = from;
  while (to < requests.length && to - from < LARGEST_BATCH_REQUESTS) {
    size += MESSAGE_HEADER_BYTES + requests[to]!.payload.length + 3;
    if (to > from && size > LARGEST_BATCH_BYTES) break;
    to++;
  }
  return to;
}
