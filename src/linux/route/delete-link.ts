import { encode } from "../netlink/body.ts";
import { RTM_DELLINK } from "./constants.ts";
import { linkRequest } from "./link-message.ts";
import { describeLink, type LinkSelector, selectorOf } from "./link-selector.ts";
import type { RouteRequest } from "./request.ts";

/**
 * Deletes a link; of a veth both ends go, and their addresses and routes. About 20 ms of waiting in the kernel. `ENODEV`: it is
 * gone.
 */
export function deleteLink(link: LinkSelector): RouteRequest {
  return {
    describe: `delete ${describeLink(link)}`,
    type: RTM_DELLINK,
    flags: 0,
    payload: encode(linkRequest, selectorOf(link)),
  };
}

/**
 * Deletes all links of a group in the time of one. `ENODEV`: there is none. Throws `RangeError` for group 0, in which every link
 * starts.
 */
export function deleteLinkGroup({ group }: { readonly group: number }): RouteRequest {
  if (!Number.isInteger(group) || group <= 0)
    throw new RangeError(`Cannot delete the links of group ${group}: want a group above 0`);
  return {
    describe: `delete the links of group ${group}`,
    type: RTM_DELLINK,
    flags: 0,
    payload: encode(linkRequest, { header: {}, attributes: { group } }),
  };
}
