/** An address family as Kubernetes names it (`.spec.ipFamilies` uses the same pair, capitalised). */
export type Family = "ipv4" | "ipv6";

/** Both families, IPv4 first, which is the order in which they appear in results, logs and tables. */
export const FAMILIES: readonly Family[] = ["ipv4", "ipv6"];

/** Bits of an address: 32 or 128. */
export function familyBits(family: Family): 32 | 128 {
  return family === "ipv4" ? 32 : 128;
}
