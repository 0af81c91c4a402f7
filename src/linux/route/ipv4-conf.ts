import {
  IPV4_DEVCONF_ACCEPT_LOCAL,
  IPV4_DEVCONF_ACCEPT_REDIRECTS,
  IPV4_DEVCONF_ARP_ANNOUNCE,
  IPV4_DEVCONF_ARP_IGNORE,
  IPV4_DEVCONF_FORWARDING,
  IPV4_DEVCONF_PROXY_ARP,
  IPV4_DEVCONF_ROUTE_LOCALNET,
  IPV4_DEVCONF_RP_FILTER,
  IPV4_DEVCONF_SEND_REDIRECTS,
} from "./constants.ts";

/** Settings of a link below /proc/sys/net/ipv4/conf, which netlink can read and write as well. */
export interface Ipv4Conf {
  readonly forwarding: number;
  readonly proxyArp: number;
  readonly acceptRedirects: number;
  readonly sendRedirects: number;
  readonly rpFilter: number;
  readonly arpAnnounce: number;
  readonly arpIgnore: number;
  readonly acceptLocal: number;
  readonly routeLocalnet: number;
}

/** The kernel's numbers of the settings. */
export const IPV4_CONF_TYPES: Readonly<Record<keyof Ipv4Conf, number>> = {
  forwarding: IPV4_DEVCONF_FORWARDING,
  proxyArp: IPV4_DEVCONF_PROXY_ARP,
  acceptRedirects: IPV4_DEVCONF_ACCEPT_REDIRECTS,
  sendRedirects: IPV4_DEVCONF_SEND_REDIRECTS,
  rpFilter: IPV4_DEVCONF_RP_FILTER,
  arpAnnounce: IPV4_DEVCONF_ARP_ANNOUNCE,
  arpIgnore: IPV4_DEVCONF_ARP_IGNORE,
  acceptLocal: IPV4_DEVCONF_ACCEPT_LOCAL,
  routeLocalnet: IPV4_DEVCONF_ROUTE_LOCALNET,
};
