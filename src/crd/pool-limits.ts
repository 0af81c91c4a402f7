/** Largest blockSizeBits: blocks of 16 million addresses, as many as 10.0.0.0/8 has. */
export const MAX_BLOCK_SIZE_BITS = 24;

/** Most subnets of a pool: what the API server can compare pairwise within its budget for rules. */
export const MAX_SUBNETS = 128;

/** Log2 of the most blocks of a pool: their numbers are int32 from 0. */
export const MAX_INDEX_BITS = 31;

/** Most blocks of a pool. */
export const MAX_BLOCKS = 2 ** MAX_INDEX_BITS;

/** Longest name of a pool or a node, in characters: blocks carry both as label values. */
export const MAX_LABEL_VALUE = 63;

/** Longest text of a network; the longest canonical one has 43 characters. */
export const MAX_NETWORK_TEXT = 64;

/** Networks whose addresses a pod cannot have: "this network", loopback, link-local, multicast, and what RFC 4291 reserves. */
export const UNUSABLE = {
  ipv4: ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4"],
  ipv6: ["::/8", "fe80::/10", "ff00::/8"],
} as const;
