import {
  IN6_ADDR_GEN_MODE_EUI64,
  IN6_ADDR_GEN_MODE_NONE,
  IN6_ADDR_GEN_MODE_RANDOM,
  IN6_ADDR_GEN_MODE_STABLE_PRIVACY,
} from "./constants.ts";

/** How a link gets its IPv6 link-local address when it comes up; with `none` it gets none. */
export type AddrGenMode = "eui64" | "none" | "stable-privacy" | "random";

/** The kernel's numbers of the modes. */
export const ADDR_GEN_MODES: Readonly<Record<AddrGenMode, number>> = {
  eui64: IN6_ADDR_GEN_MODE_EUI64,
  none: IN6_ADDR_GEN_MODE_NONE,
  "stable-privacy": IN6_ADDR_GEN_MODE_STABLE_PRIVACY,
  random: IN6_ADDR_GEN_MODE_RANDOM,
};
