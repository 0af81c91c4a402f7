import type { NetlinkMessage } from "../netlink/message.ts";
import { AF_UNSPEC } from "../syscall/constants.ts";
import { ADDR_GEN_MODES, type AddrGenMode } from "./addr-gen-mode.ts";
import { IFF_LOOPBACK, IFF_RUNNING, IFF_UP } from "./constants.ts";
import type { Ipv4Conf } from "./ipv4-conf.ts";
import { linkReply } from "./link-message.ts";
import { nameOf } from "./names.ts";
import { OPER_STATES, type OperState } from "./oper-state.ts";

/** A network interface. */
export interface Link {
  readonly index: number;
  readonly name: string;
  readonly altNames: readonly string[];
  /** `veth`, `bridge`, …; absent for hardware and for `lo`. */
  readonly kind?: string;
  readonly alias?: string;
  /** `02:00:00:00:00:01`; absent where there is none. */
  readonly mac?: string;
  readonly mtu: number;
  /** Set up by the administrator. */
  readonly up: boolean;
  /** Up, and connected to something. */
  readonly running: boolean;
  /**
   * Of a link that comes up: `up` only when its queue works, a little after `up` and `running`; packets until then are lost.
   * Some, as `lo`, stay `unknown`.
   */
  readonly operState: OperState | number;
  readonly loopback: boolean;
  readonly group: number;
  /** The index of the other end of a veth, or of the link below this one. */
  readonly peerIndex?: number;
  /** Where `peerIndex` counts, when not in this namespace: a number as `RouteSocket.namespaceId()` gives. */
  readonly peerNamespaceId?: number;
  /** The index of the bridge or VRF that this link is part of. */
  readonly master?: number;
  readonly addrGenMode?: AddrGenMode | number;
  readonly ipv4Conf?: Partial<Ipv4Conf>;
}

/**
 * Reads RTM_NEWLINK and RTM_DELLINK; undefined for a message about the role of a link in a bridge, which comes with the same
 * types.
 */
export function decodeLink({ view, start, end }: NetlinkMessage): Link | undefined {
  const { header, attributes } = linkReply.decode(view, start, end);
  if (header.ifi_family !== AF_UNSPEC) return undefined;
  const { info, alias, mac, link, linkNamespaceId, master, afSpec } = attributes;
  const addrGenMode = afSpec?.ipv6?.addrGenMode;
  const ipv4Conf = afSpec?.ipv4?.conf;
  return {
    index: header.ifi_index,
    name: attributes.name ?? "",
    altNames: attributes.altNames ?? [],
    ...(info?.kind !== undefined && { kind: info.kind }),
    ...(alias !== undefined && { alias }),
    ...(mac !== undefined && mac !== "" && { mac }),
    mtu: attributes.mtu ?? 0,
    up: (header.ifi_flags & IFF_UP) !== 0,
    running: (header.ifi_flags & IFF_RUNNING) !== 0,
    operState: nameOf(OPER_STATES, attributes.operState ?? 0),
    loopback: (header.ifi_flags & IFF_LOOPBACK) !== 0,
    group: attributes.group ?? 0,
    ...(link !== undefined && link !== 0 && { peerIndex: link }),
    ...(linkNamespaceId !== undefined && { peerNamespaceId: linkNamespaceId }),
    ...(master !== undefined && { master }),
    ...(addrGenMode !== undefined && { addrGenMode: nameOf(ADDR_GEN_MODES, addrGenMode) }),
    ...(ipv4Conf !== undefined && { ipv4Conf }),
  };
}
