import type { Address } from "../ip/address.ts";

/** Remembers when addresses were freed, beyond the life of their blocks: a block may go away and come back to this node. */
export interface RecentlyFreed {
  add(address: Address, freedAt: number): void;
  /** When the address was freed, if that is still known. */
  at(address: Address): number | undefined;
  /** All of them, longest ago first. */
  entries(): Iterable<{ readonly address: Address; readonly freedAt: number }>;
}

/** Remembers the last `limit` addresses of each family. */
export function createRecentlyFreed(limit: number): RecentlyFreed {
  const families = { ipv4: new Map<bigint, number>(), ipv6: new Map<bigint, number>() };
  return {
    add({ family, value }, freedAt) {
      const known = families[family];
      known.delete(value);
      known.set(value, freedAt);
      for (const oldest of known.keys()) {
        if (known.size <= limit) break;
        known.delete(oldest);
      }
    },
    at: ({ family, value }) => families[family].get(value),
    *entries() {
      for (const family of ["ipv4", "ipv6"] as const) {
        for (const [value, freedAt] of families[family]) yield { address: { family, value }, freedAt };
      }
    },
  };
}
