import { encode } from "../netlink/body.ts";
import { NLM_F_CREATE, NLM_F_EXCL } from "../netlink/constants.ts";
import type { NetNamespace } from "../netns/namespace.ts";
import { IFF_UP, RTM_NEWLINK } from "./constants.ts";
import { linkRequest } from "./link-message.ts";
import type { RouteRequest } from "./request.ts";

/** What a link has from its first instant on. */
export interface NewLink {
  readonly name: string;
  /** Chosen by the kernel if absent. */
  readonly index?: number | undefined;
  /** Chosen by the kernel if absent. */
  readonly mac?: string | undefined;
  readonly mtu?: number | undefined;
  readonly group?: number | undefined;
  readonly up?: boolean | undefined;
}

/**
 * The other end of a pair. Group and index count there. It cannot be up yet: the kernel makes it first, when it has no other end.
 */
export interface NewVethPeer extends Omit<NewLink, "up"> {
  /** Where it is created; beside the first end if absent. Must stay open until the request is answered. */
  readonly namespace?: NetNamespace | undefined;
}

/**
 * A pair of connected interfaces, this end in the namespace of the socket. Both appear at once or not at all. `EEXIST`: a name is
 * taken.
 */
export function newVeth(link: NewLink & { readonly peer: NewVethPeer }): RouteRequest {
  const { peer } = link;
  const vethPeer = {
    header: headerOf(peer),
    attributes: { ...attributesOf(peer), namespaceFd: peer.namespace?.fd },
  };
  return request(link, `create the veth pair ${link.name} and ${peer.name}`, { kind: "veth", data: { vethPeer } });
}

/** A bridge without ports. */
export function newBridge(link: NewLink): RouteRequest {
  return request(link, `create the bridge ${link.name}`, { kind: "bridge" });
}

type LinkInfo = NonNullable<Parameters<typeof linkRequest.encode>[1]["attributes"]["info"]>;

function request(link: NewLink, describe: string, info: LinkInfo): RouteRequest {
  return {
    describe,
    type: RTM_NEWLINK,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    payload: encode(linkRequest, { header: headerOf(link), attributes: { ...attributesOf(link), info } }),
  };
}

function headerOf({ index, up }: NewLink): { ifi_index: number; ifi_flags: number; ifi_change: number } {
  const flags = up ? IFF_UP : 0;
  return { ifi_index: index ?? 0, ifi_flags: flags, ifi_change: flags };
}

function attributesOf({ name, mac, mtu, group }: NewLink): Pick<NewLink, "name" | "mac" | "mtu" | "group"> {
  return { name, mac, mtu, group };
}
