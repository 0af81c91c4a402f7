import { type Address, formatAddress } from "../../ip/address.ts";
import { encode } from "../netlink/body.ts";
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from "../netlink/constants.ts";
import { addressMessage } from "./address.ts";
import { familyNumber } from "./codecs.ts";
import { IFA_F_NODAD, IFA_F_NOPREFIXROUTE, RTM_DELADDR, RTM_NEWADDR } from "./constants.ts";
import { ADDRESS_SCOPES, type AddressScope } from "./names.ts";
import type { RouteRequest } from "./request.ts";

/** An address for a link. */
export interface NewAddress {
  /** Of the link. */
  readonly index: number;
  readonly address: Address;
  /** Bits of the network part; 32 or 128 for an address without a network. */
  readonly length: number;
  /** `global` if absent. The kernel finds out by itself for IPv6. */
  readonly scope?: AddressScope | undefined;
  /** IPv6: usable at once, without duplicate address detection. */
  readonly noDad?: boolean | undefined;
  /** Without a route to the address's network. */
  readonly noPrefixRoute?: boolean | undefined;
  /** An address that is there already is changed, instead of `EEXIST`. */
  readonly replace?: boolean | undefined;
}

/** Adds an address to a link. */
export function addAddress(address: NewAddress): RouteRequest {
  const flags = (address.noDad ? IFA_F_NODAD : 0) | (address.noPrefixRoute ? IFA_F_NOPREFIXROUTE : 0);
  return {
    describe: `add address ${describe(address)}`,
    type: RTM_NEWADDR,
    flags: NLM_F_CREATE | (address.replace ? NLM_F_REPLACE : NLM_F_EXCL),
    payload: payloadOf(address, flags),
  };
}

/** Removes an address from a link. `EADDRNOTAVAIL`: it has no such address. */
export function deleteAddress(address: Pick<NewAddress, "index" | "address" | "length">): RouteRequest {
  return { describe: `delete address ${describe(address)}`, type: RTM_DELADDR, flags: 0, payload: payloadOf(address, 0) };
}

function payloadOf({ index, address, length, scope }: NewAddress, flags: number): Uint8Array {
  return encode(addressMessage, {
    header: {
      ifa_family: familyNumber(address.family),
      ifa_prefixlen: length,
      ifa_scope: ADDRESS_SCOPES[scope ?? "global"],
      ifa_index: index,
    },
    attributes: { local: address, address, flags: flags === 0 ? undefined : flags },
  });
}

function describe({ index, address, length }: NewAddress): string {
  return `${formatAddress(address)}/${length} of link ${index}`;
}
