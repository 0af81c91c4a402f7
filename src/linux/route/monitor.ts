import { NETLINK_ROUTE } from "../netlink/constants.ts";
import { listen } from "../netlink/listen.ts";
import { openNetlinkTransport } from "../netlink/transport.ts";
import type { NetNamespace } from "../netns/namespace.ts";
import {
  RTNLGRP_IPV4_IFADDR,
  RTNLGRP_IPV4_ROUTE,
  RTNLGRP_IPV4_RULE,
  RTNLGRP_IPV6_IFADDR,
  RTNLGRP_IPV6_ROUTE,
  RTNLGRP_IPV6_RULE,
  RTNLGRP_LINK,
  RTNLGRP_NEIGH,
} from "./constants.ts";
import { decodeEvent, type RouteEvent } from "./event.ts";

/** Enough for the notifications of some hundred pods that come at once. */
const RECEIVE_BUFFER_BYTES = 4 << 20;

const GROUPS = {
  link: RTNLGRP_LINK,
  "ipv4-address": RTNLGRP_IPV4_IFADDR,
  "ipv6-address": RTNLGRP_IPV6_IFADDR,
  "ipv4-route": RTNLGRP_IPV4_ROUTE,
  "ipv6-route": RTNLGRP_IPV6_ROUTE,
  "ipv4-rule": RTNLGRP_IPV4_RULE,
  "ipv6-rule": RTNLGRP_IPV6_RULE,
  neighbour: RTNLGRP_NEIGH,
} as const;

/** What a monitor can hear of. */
export type RouteGroup = keyof typeof GROUPS;

/** How to open a {@link RouteMonitor}. */
export interface RouteMonitorOptions {
  readonly groups: readonly RouteGroup[];
  /** The current one if absent. */
  readonly namespace?: NetNamespace | undefined;
  /** For notifications that wait to be read. */
  readonly receiveBufferBytes?: number | undefined;
}

/** Hears of all changes of one namespace from the moment it is opened. Who opens it before reading the state misses nothing. */
export interface RouteMonitor extends Disposable {
  /**
   * Calls `onEvent` for each change, also for those since the opening. Ends when `signal` is aborted or the monitor disposed,
   * after which nothing is called any more; rejects with {@link KernelError}, or with what `onEvent` throws. Only one run at a
   * time. Waits on the event loop, without a thread.
   */
  run(signal: AbortSignal, onEvent: (event: RouteEvent) => void): Promise<void>;
}

/** Opens a monitor. Throws {@link KernelError}. */
export function openRouteMonitor({ groups, namespace, receiveBufferBytes }: RouteMonitorOptions): RouteMonitor {
  const transport = openNetlinkTransport({
    protocol: NETLINK_ROUTE,
    namespace,
    groups: groups.map((group) => GROUPS[group]),
    receiveBufferBytes: receiveBufferBytes ?? RECEIVE_BUFFER_BYTES,
  });
  const closing = new AbortController();
  return {
    run: (signal, onEvent) =>
      listen(transport, {
        signal: AbortSignal.any([signal, closing.signal]),
        onMessage(message) {
          const event = decodeEvent(message);
          if (event) onEvent(event);
        },
        onOverrun: () => onEvent({ kind: "overrun" }),
      }),
    [Symbol.dispose]() {
      if (closing.signal.aborted) return;
      // The event loop must have let go of the descriptor before its number can name another file.
      closing.abort();
      transport[Symbol.dispose]();
    },
  };
}
