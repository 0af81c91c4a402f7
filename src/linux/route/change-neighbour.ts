import { type Address, formatAddress } from "../../ip/address.ts";
import { encode } from "../netlink/body.ts";
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from "../netlink/constants.ts";
import { familyNumber } from "./codecs.ts";
import { RTM_DELNEIGH, RTM_NEWNEIGH } from "./constants.ts";
import { NEIGHBOUR_STATES, type NeighbourState } from "./names.ts";
import { neighbourMessage } from "./neighbour.ts";
import type { RouteRequest } from "./request.ts";

/** What a link shall know of another machine on it. */
export interface NewNeighbour {
  /** Of the link. */
  readonly index: number;
  readonly address: Address;
  readonly mac: string;
  readonly state: NeighbourState;
}

/** Adds a neighbour. `EEXIST`: the link knows this address already, perhaps by asking. */
export function addNeighbour(neighbour: NewNeighbour): RouteRequest {
  return newNeighbour("add", neighbour, NLM_F_CREATE | NLM_F_EXCL);
}

/** Adds a neighbour, or changes what the link knows. */
export function replaceNeighbour(neighbour: NewNeighbour): RouteRequest {
  return newNeighbour("set", neighbour, NLM_F_CREATE | NLM_F_REPLACE);
}

/** Makes a link forget a neighbour. `ENOENT`: it does not know it. */
export function deleteNeighbour({ index, address }: Pick<NewNeighbour, "index" | "address">): RouteRequest {
  return {
    describe: describe("delete", { index, address }),
    type: RTM_DELNEIGH,
    flags: 0,
    payload: encode(neighbourMessage, {
      header: { ndm_family: familyNumber(address.family), ndm_ifindex: index },
      attributes: { address },
    }),
  };
}

function newNeighbour(verb: string, { index, address, mac, state }: NewNeighbour, flags: number): RouteRequest {
  return {
    describe: describe(verb, { index, address }),
    type: RTM_NEWNEIGH,
    flags,
    payload: encode(neighbourMessage, {
      header: { ndm_family: familyNumber(address.family), ndm_ifindex: index, ndm_state: NEIGHBOUR_STATES[state] },
      attributes: { address, mac },
    }),
  };
}

function describe(verb: string, { index, address }: Pick<NewNeighbour, "index" | "address">): string {
  return `${verb} neighbour ${formatAddress(address)} of link ${index}`;
}
