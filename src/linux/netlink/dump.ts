import { setTimeout as sleep } from "node:timers/promises";
import { KernelError } from "../kernel-error.ts";
import { errnoOf } from "../syscall/errno.ts";
import { failureOf } from "./acknowledgement.ts";
import { NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR, NLMSG_NOOP } from "./constants.ts";
import { type NetlinkMessage, readMessages } from "./message.ts";
import type { NetlinkTransport } from "./transport.ts";

const MOST_ATTEMPTS = 8;
/** Doubled with each attempt. */
const FIRST_PAUSE_MS = 1;

/** How to make a dump. */
export interface DumpPlan<T> {
  readonly operation: string;
  readonly transport: NetlinkTransport;
  /** The datagram that asks for it, with a new sequence number. */
  start(): { readonly datagram: Uint8Array; readonly sequence: number };
  readonly decode: (message: NetlinkMessage) => T | undefined;
  readonly signal: AbortSignal | undefined;
}

/** A whole and consistent dump: one during which the kernel's tables changed is thrown away and made again. */
export async function readDump<T>(plan: DumpPlan<T>): Promise<T[]> {
  for (let attempt = 1; ; attempt++) {
    plan.signal?.throwIfAborted();
    const { values, interrupted } = await readOnce(plan);
    if (!interrupted) return values;
    if (attempt === MOST_ATTEMPTS) throw interruptedTooOften(plan.operation);
    await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1), undefined, plan.signal ? { signal: plan.signal } : {});
  }
}

/** Reads to the end whatever happens: a dump that is left half-read would make the kernel refuse the next one. */
async function readOnce<T>({ operation, transport, start, decode }: DumpPlan<T>): Promise<{ values: T[]; interrupted: boolean }> {
  const { datagram, sequence } = start();
  await transport.send(datagram);
  const values: T[] = [];
  let interrupted = false;
  let problem: Error | undefined;
  for (let done = false; !done; ) {
    // Receiving makes the kernel prepare the next part, for which it may have to wait.
    const view = await transport.receiveSlow();
    if (!view) throw new KernelError({ operation, errno: errnoOf("EBADMSG"), detail: "the end of the answer is missing" });
    for (const message of readMessages(view)) {
      if (message.sequence !== sequence) continue;
      if (message.flags & NLM_F_DUMP_INTR) interrupted = true;
      if (message.type === NLMSG_DONE || message.type === NLMSG_ERROR) {
        done = true;
        problem ??= failureOf(message, operation);
      } else if (message.type !== NLMSG_NOOP && problem === undefined) {
        try {
          const value = decode(message);
          if (value !== undefined) values.push(value);
        } catch (error) {
          problem = error instanceof Error ? error : new Error(`Cannot ${operation}`, { cause: error });
        }
      }
    }
  }
  if (problem) throw problem;
  return { values, interrupted };
}

function interruptedTooOften(operation: string): KernelError {
  return new KernelError({
    operation,
    errno: errnoOf("EINTR"),
    detail: `changes interrupted it ${MOST_ATTEMPTS} times`,
  });
}
