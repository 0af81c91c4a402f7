import type { Address } from "../../ip/address.ts";
import { attributeSet } from "../netlink/attributes.ts";
import { bodyOf } from "../netlink/body.ts";
import { u8, u32 } from "../netlink/codec.ts";
import type { NetlinkMessage } from "../netlink/message.ts";
import { familyOfNumber, ipAddress, linkLayerAddress } from "./codecs.ts";
import { NDA_DST, NDA_IFINDEX, NDA_LLADDR, NDA_PROTOCOL, NTF_PROXY } from "./constants.ts";
import { NEIGHBOUR_STATES, type NeighbourState, nameOf } from "./names.ts";
import { ndmsg } from "./structs.ts";

/** Neighbours in messages. */
export const neighbourMessage = bodyOf(
  ndmsg,
  attributeSet(
    {
      address: { type: NDA_DST, codec: ipAddress },
      mac: { type: NDA_LLADDR, codec: linkLayerAddress },
      /** Only in requests for dumps. */
      index: { type: NDA_IFINDEX, codec: u32 },
      protocol: { type: NDA_PROTOCOL, codec: u8 },
    },
    { unknown: "drop" },
  ),
);

/** What a link knows of another machine on it. */
export interface Neighbour {
  /** Of the link. */
  readonly index: number;
  readonly address: Address;
  /** Absent while it is not known. */
  readonly mac?: string;
  readonly state: NeighbourState | number;
  /** The link answers for this address in the place of its owner. */
  readonly proxy: boolean;
}

/** Reads RTM_NEWNEIGH and RTM_DELNEIGH; undefined for entries of bridges, which have no address. */
export function decodeNeighbour({ view, start, end }: NetlinkMessage): Neighbour | undefined {
  const header = ndmsg.decode(view, start, end);
  // Before the attributes: what NDA_DST of a VXLAN's bridge entry holds is something else.
  if (!familyOfNumber(header.ndm_family)) return undefined;
  const { address, mac } = neighbourMessage.decode(view, start, end).attributes;
  if (!address) return undefined;
  return {
    index: header.ndm_ifindex,
    address,
    ...(mac !== undefined && mac !== "" && { mac }),
    state: nameOf(NEIGHBOUR_STATES, header.ndm_state),
    proxy: (header.ndm_flags & NTF_PROXY) !== 0,
  };
}
