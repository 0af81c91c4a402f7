import type { Address } from "../../ip/address.ts";
import { attributeSet } from "../netlink/attributes.ts";
import { bodyOf } from "../netlink/body.ts";
import { u32 } from "../netlink/codec.ts";
import type { NetlinkMessage } from "../netlink/message.ts";
import { cstring } from "../netlink/text.ts";
import { familyOfNumber, ipAddress } from "./codecs.ts";
import {
  IFA_ADDRESS,
  IFA_F_DADFAILED,
  IFA_F_DEPRECATED,
  IFA_F_NODAD,
  IFA_F_NOPREFIXROUTE,
  IFA_F_PERMANENT,
  IFA_F_TENTATIVE,
  IFA_FLAGS,
  IFA_LABEL,
  IFA_LOCAL,
} from "./constants.ts";
import { ADDRESS_SCOPES, type AddressScope, nameOf } from "./names.ts";
import { ifaddrmsg } from "./structs.ts";

/** Addresses in messages. */
export const addressMessage = bodyOf(
  ifaddrmsg,
  attributeSet(
    {
      address: { type: IFA_ADDRESS, codec: ipAddress },
      local: { type: IFA_LOCAL, codec: ipAddress },
      label: { type: IFA_LABEL, codec: cstring },
      flags: { type: IFA_FLAGS, codec: u32 },
    },
    { unknown: "drop" },
  ),
);

/** An address of a link, with the length of the network that it is in. */
export interface LinkAddress {
  /** Of the link. */
  readonly index: number;
  readonly address: Address;
  readonly length: number;
  /** The other end of a point-to-point link, where that differs. */
  readonly peer?: Address;
  readonly scope: AddressScope | number;
  /** Not usable yet: duplicate address detection is under way. */
  readonly tentative: boolean;
  readonly dadFailed: boolean;
  readonly noDad: boolean;
  readonly noPrefixRoute: boolean;
  readonly deprecated: boolean;
  /** Without an end of its lifetime. */
  readonly permanent: boolean;
}

/** Reads RTM_NEWADDR and RTM_DELADDR; undefined for families other than IPv4 and IPv6. */
export function decodeLinkAddress({ view, start, end }: NetlinkMessage): LinkAddress | undefined {
  const { header, attributes } = addressMessage.decode(view, start, end);
  // IPv6 has IFA_LOCAL on point-to-point addresses only.
  const address = attributes.local ?? attributes.address;
  if (!familyOfNumber(header.ifa_family) || !address) return undefined;
  const peer = attributes.address;
  const flags = attributes.flags ?? header.ifa_flags;
  return {
    index: header.ifa_index,
    address,
    length: header.ifa_prefixlen,
    ...(peer && peer.value !== address.value && { peer }),
    scope: nameOf(ADDRESS_SCOPES, header.ifa_scope),
    tentative: (flags & IFA_F_TENTATIVE) !== 0,
    dadFailed: (flags & IFA_F_DADFAILED) !== 0,
    noDad: (flags & IFA_F_NODAD) !== 0,
    noPrefixRoute: (flags & IFA_F_NOPREFIXROUTE) !== 0,
    deprecated: (flags & IFA_F_DEPRECATED) !== 0,
    permanent: (flags & IFA_F_PERMANENT) !== 0,
  };
}
