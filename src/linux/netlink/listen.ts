import { KernelError } from "../kernel-error.ts";
import { type NetlinkMessage, readMessages } from "./message.ts";
import type { NetlinkTransport } from "./transport.ts";

/** Read in one turn of the event loop; with more to read there is another turn at once. */
const DATAGRAMS_A_TURN = 64;

/** What to do with the messages of multicast groups. */
export interface Listener {
  readonly signal: AbortSignal;
  onMessage(message: NetlinkMessage): void;
  /** Messages came faster than they were read, and some were lost. */
  onOverrun(): void;
}

/** Hands over all that arrives until `signal` is aborted. Rejects with what receiving or a handler throws. */
export function listen(transport: NetlinkTransport, { signal, onMessage, onOverrun }: Listener): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const onAbort = () => {
      stop();
      resolve();
    };
    const watch = transport.watch(() => {
      try {
        readTurn();
      } catch (error) {
        stop();
        reject(error instanceof Error ? error : new Error("Cannot handle a netlink message", { cause: error }));
      }
    });
    signal.addEventListener("abort", onAbort, { once: true });

    function stop(): void {
      signal.removeEventListener("abort", onAbort);
      watch[Symbol.dispose]();
    }

    function readTurn(): void {
      for (let count = 0; count < DATAGRAMS_A_TURN; count++) {
        const view = receive();
        if (view === "overrun") {
          onOverrun();
        } else {
          if (!view) return;
          for (const message of readMessages(view)) {
            // A handler may abort: then nothing more is handed over.
            if (signal.aborted) return;
            onMessage(message);
          }
        }
        if (signal.aborted) return;
      }
    }

    function receive(): ReturnType<NetlinkTransport["receive"]> | "overrun" {
      try {
        return transport.receive();
      } catch (error) {
        if (error instanceof KernelError && error.code === "ENOBUFS") return "overrun";
        throw error;
      }
    }
  });
}
