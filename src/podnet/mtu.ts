import type { LinkState } from "./host-state.ts";
import { DOOMED_LINK_GROUP, LINK_GROUP, parseLinkAlias } from "./names.ts";

/**
 * The MTU of pods' links in bytes, 0 for the kernel's default. The links that lead to everywhere (IPv4 and IPv6 default routes) tell
 * it; without such a route the smallest physical link that is up; without one, the smallest of all that are neither loopback nor pods'.
 */
export function chooseMtu(links: readonly LinkState[], uplinks: readonly number[]): number {
  const candidates = [
    links.filter((link) => uplinks.includes(link.index)),
    links.filter((link) => link.up && !link.loopback && link.kind === undefined),
    links.filter((link) => link.up && !link.loopback && !isOfPod(link)),
  ];
  const first = candidates.find((group) => group.length > 0) ?? [];
  return first.length === 0 ? 0 : Math.min(...first.map((link) => link.mtu));
}

function isOfPod(link: LinkState): boolean {
  return link.group === LINK_GROUP || link.group === DOOMED_LINK_GROUP || parseLinkAlias(link.alias) !== undefined;
}
