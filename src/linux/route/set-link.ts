import { encode } from "../netlink/body.ts";
import type { NetNamespace } from "../netns/namespace.ts";
import { ADDR_GEN_MODES, type AddrGenMode } from "./addr-gen-mode.ts";
import { IFF_UP, RTM_SETLINK } from "./constants.ts";
import type { Ipv4Conf } from "./ipv4-conf.ts";
import { linkRequest } from "./link-message.ts";
import { describeLink, type LinkSelector, selectorOf } from "./link-selector.ts";
import type { RouteRequest } from "./request.ts";

/** What to change of a link; what is absent stays. */
export interface LinkChange {
  readonly up?: boolean | undefined;
  readonly mtu?: number | undefined;
  /** At most 255 bytes; the empty text removes it. */
  readonly alias?: string | undefined;
  readonly mac?: string | undefined;
  readonly group?: number | undefined;
  /** A new name, for a link that is selected by its index. */
  readonly rename?: string | undefined;
  /** The index of a bridge or VRF; 0 takes the link out of it. */
  readonly master?: number | undefined;
  /** Moves the link. Must stay open until the request is answered. */
  readonly namespace?: NetNamespace | undefined;
  readonly addrGenMode?: AddrGenMode | undefined;
  readonly ipv4Conf?: Partial<Ipv4Conf> | undefined;
}

/**
 * Changes a link. There are two requests when it is to come up with other settings: inside one request the kernel sets it up
 * first, and would give it a link-local address before it hears of `addrGenMode`. Throws `RangeError` for `rename` without an
 * index.
 */
export function setLink(change: LinkSelector & LinkChange): RouteRequest[] {
  const { up, ...settings } = change;
  const requests: RouteRequest[] = [];
  if (hasSettings(settings)) requests.push(settingsRequest(settings));
  if (up !== undefined) requests.push(upRequest(change, up));
  return requests;
}

function hasSettings({ mtu, alias, mac, group, rename, master, namespace, addrGenMode, ipv4Conf }: LinkChange): boolean {
  return [mtu, alias, mac, group, rename, master, namespace, addrGenMode, ipv4Conf].some((value) => value !== undefined);
}

function settingsRequest(change: LinkSelector & LinkChange): RouteRequest {
  const { header, attributes } = selectorOf(change);
  const { mtu, alias, mac, group, rename, master, namespace, addrGenMode, ipv4Conf } = change;
  if (rename !== undefined && !("index" in change)) throw new RangeError(`Cannot rename ${describeLink(change)}: want its index`);
  const afSpec = {
    ipv4: ipv4Conf && { conf: ipv4Conf },
    ipv6: addrGenMode === undefined ? undefined : { addrGenMode: ADDR_GEN_MODES[addrGenMode] },
  };
  return {
    describe: `change ${describeLink(change)}`,
    type: RTM_SETLINK,
    flags: 0,
    payload: encode(linkRequest, {
      header,
      attributes: {
        ...attributes,
        ...(rename !== undefined && { name: rename }),
        mtu,
        alias,
        mac,
        group,
        master,
        namespaceFd: namespace?.fd,
        afSpec: afSpec.ipv4 || afSpec.ipv6 ? afSpec : undefined,
      },
    }),
  };
}

function upRequest(link: LinkSelector, up: boolean): RouteRequest {
  const { header, attributes } = selectorOf(link);
  return {
    describe: `set ${describeLink(link)} ${up ? "up" : "down"}`,
    type: RTM_SETLINK,
    flags: 0,
    payload: encode(linkRequest, { header: { ...header, ifi_flags: up ? IFF_UP : 0, ifi_change: IFF_UP }, attributes }),
  };
}
