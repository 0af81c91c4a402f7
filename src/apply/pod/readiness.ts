import type { Address } from "../../ip/address.ts";
import type { RouteSocket } from "../../linux/route/socket.ts";
import type { Clock } from "../../observe/clock.ts";

/**
 * Two things the kernel does some time after it has acknowledged a request, and without which packets are dropped. Both take
 * milliseconds at most on a quiet machine; when they take very long, the pod is left to find out.
 */

/** Longer than the second by which the kernel may delay its link watch. */
const MOST_MS = 1500;
const FIRST_PAUSE_MS = 0.5;

interface Waiting {
  readonly socket: RouteSocket;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** The end of a pair that came up first can send only when the kernel's link watch has seen its carrier. */
export async function untilCarrier(index: number, { socket, ...waiting }: Waiting): Promise<void> {
  await until(waiting, async () => {
    const link = await socket.link({ index });
    return !link || link.operState === "up";
  });
}

/**
 * The route by which a namespace takes packets to an IPv6 address of its own is made by the worker of duplicate address detection,
 * also for addresses that are exempt from it.
 */
export async function untilLocal(address: Address, { socket, ...waiting }: Waiting): Promise<void> {
  await until(waiting, async () => (await socket.routeTo(address))?.type === "local");
}

async function until({ clock, signal }: Omit<Waiting, "socket">, isReady: () => Promise<boolean>): Promise<void> {
  const deadline = clock.now() + MOST_MS;
  for (let pause = FIRST_PAUSE_MS; !(await isReady()) && clock.now() < deadline; pause *= 2) await clock.sleep(pause, { signal });
}
