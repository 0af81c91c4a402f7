import { type Address, formatAddress, tryParseAddress } from "../ip/address.ts";
import { sha1Hex } from "./sha1.ts";

/**
 * How the host side of a pod's veth pair is called and marked. The kernel is what remembers pods over a restart, so all that must
 * not be forgotten stands here: container, interface and pool in the alias, which the Go implementation reads and writes too; pod
 * UID, network and addresses in alternative names, which survive a flushed routing table and a link that was down.
 */

/** Link group of the host sides, set in the request that creates them: a link of it without alias is half made. */
export const LINK_GROUP = 0x636f696c;

/** Link group of links that are to be deleted together. Nothing but the tear-down may put a link there. */
export const DOOMED_LINK_GROUP = 0x636f6964;

/** Interface indexes of pods' links start here, far above those that the kernel counts out by itself. */
export const FIRST_LINK_INDEX = 1_000_000_000;

const MAX_ALIAS = 255;
const MAX_ALT_NAME = 127;

/** What an alias says. `pool` is empty where Coil only does egress; `containerId` then is the pod's UID. */
export interface LinkAlias {
  readonly pool: string;
  readonly containerId: string;
  readonly ifname: string;
}

/** What the alternative names of a link say. */
export interface AltNameInfo {
  readonly podUid?: string;
  readonly network?: string;
  readonly addresses: readonly Address[];
}

/** The key of an attachment: a container has one interface of a name. */
export function attachmentKey({ containerId, ifname }: Pick<LinkAlias, "containerId" | "ifname">): string {
  return `${containerId}:${ifname}`;
}

/** `veth` and 8 hex digits of the key's SHA-1. `attempt` counts up when another link has the name. */
export function hostInterfaceName(key: string, attempt = 0): string {
  return `veth${keyDigest(key, attempt).slice(0, 8)}`;
}

/** The name Calico's policy engine looks for: `veth` and 11 hex digits of the SHA-1 of `<namespace>.<name>`. */
export function calicoInterfaceName(podNamespace: string, podName: string): string {
  return `veth${sha1Hex(`${podNamespace}.${podName}`).slice(0, 11)}`;
}

/** MAC addresses of both ends of a pair. */
export interface InterfaceMacs {
  readonly host: string;
  readonly pod: string;
}

/** The MAC addresses of a pair, made of the key, so that neighbour entries can be restored without asking the pod. */
export function interfaceMacs(key: string): InterfaceMacs {
  const digest = keyDigest(key, 0);
  return { host: macOf(digest.slice(8, 20)), pod: macOf(digest.slice(20, 32)) };
}

/** `COIL:<pool>:<container id>:<ifname>`. Throws `RangeError` when a part holds a colon or all is longer than the kernel keeps. */
export function formatLinkAlias({ pool, containerId, ifname }: LinkAlias): string {
  const alias = ["COIL", pool, containerId, ifname].join(":");
  if (alias.split(":").length !== 4) throw new RangeError(`Cannot name a link ${JSON.stringify(alias)}: a part holds a colon`);
  if (alias.length > MAX_ALIAS) throw new RangeError(`Cannot name a link ${JSON.stringify(alias)}: longer than ${MAX_ALIAS}`);
  return alias;
}

/** The inverse of {@link formatLinkAlias}; undefined for the alias of another program. */
export function parseLinkAlias(alias: string | undefined): LinkAlias | undefined {
  const [mark, pool, containerId, ifname, ...rest] = alias?.split(":") ?? [];
  if (mark !== "COIL" || pool === undefined || !containerId || !ifname || rest.length > 0) return undefined;
  return { pool, containerId, ifname };
}

/**
 * `coil.<interface>.<pod UID>.<network>` and `coil.ip.<address>` for each address. The kernel holds each alternative name once,
 * so no two links of a node can claim one address. Throws `RangeError` when the network's name is too long to be kept.
 */
export function formatAltNames(hostInterface: string, info: Required<AltNameInfo>): string[] {
  const identity = `coil.${hostInterface}.${info.podUid}.${info.network}`;
  if (info.podUid.includes("."))
    throw new RangeError(`Cannot name a link after pod UID ${JSON.stringify(info.podUid)}: it has a dot`);
  if (identity.length > MAX_ALT_NAME) {
    throw new RangeError(
      `Cannot name a link ${JSON.stringify(identity)}: longer than ${MAX_ALT_NAME}; take a shorter network name`,
    );
  }
  return [identity, ...info.addresses.map(addressAltName)];
}

/** `coil.ip.<address>`. */
export function addressAltName(address: Address): string {
  return `coil.ip.${formatAddress(address)}`;
}

/** What the alternative names of a link tell; those of other programs are skipped. */
export function parseAltNames(names: readonly string[]): AltNameInfo {
  const addresses = names.flatMap((name) => (name.startsWith("coil.ip.") ? (tryParseAddress(name.slice(8)) ?? []) : []));
  const parts = names.map((name) => /^coil\.veth[0-9a-f]+\.([^.]*)\.(.+)$/.exec(name)).find((match) => match !== null);
  const [, podUid, network] = parts ?? [];
  return podUid === undefined || network === undefined ? { addresses } : { podUid, network, addresses };
}

function keyDigest(key: string, attempt: number): string {
  return sha1Hex(attempt === 0 ? key : `${key}#${attempt}`);
}

/** Twelve hex digits as a MAC address that is locally administered and not multicast. */
function macOf(hex: string): string {
  const first = (Number.parseInt(hex.slice(0, 2), 16) & 0xfc) | 0x02;
  return [first.toString(16).padStart(2, "0"), ...(hex.slice(2).match(/../g) ?? [])].join(":");
}
