import { encode } from "../netlink/body.ts";
import { NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL } from "../netlink/constants.ts";
import { RTM_DELLINKPROP, RTM_NEWLINKPROP } from "./constants.ts";
import { linkRequest } from "./link-message.ts";
import { describeLink, selectorOf } from "./link-selector.ts";
import type { RouteRequest } from "./request.ts";

/** Further names of a link, at most 127 bytes each. */
export interface AltNames {
  readonly index: number;
  readonly names: readonly string[];
}

/** Gives a link further names. `EEXIST`: one is taken in this namespace; those before it were added. */
export function addAltNames({ index, names }: AltNames): RouteRequest {
  return {
    describe: `add alternative names to ${describeLink({ index })}`,
    type: RTM_NEWLINKPROP,
    flags: NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND,
    payload: encode(linkRequest, { header: selectorOf({ index }).header, attributes: { altNames: names } }),
  };
}

/** Takes further names from a link. */
export function deleteAltNames({ index, names }: AltNames): RouteRequest {
  return {
    describe: `delete alternative names of ${describeLink({ index })}`,
    type: RTM_DELLINKPROP,
    flags: 0,
    payload: encode(linkRequest, { header: selectorOf({ index }).header, attributes: { altNames: names } }),
  };
}
