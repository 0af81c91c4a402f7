import type { BlockUsage } from "../../ipam/node-ipam.ts";

/** `node coil-worker holds 2 blocks, 64 of 64 addresses in use`. */
export function usageText(node: string, usage: readonly BlockUsage[], pool: string): string {
  const blocks = usage.filter((block) => block.pool === pool);
  if (blocks.length === 0) return `node ${node} holds no block`;
  const used = blocks.reduce((sum, block) => sum + block.used, 0);
  const size = blocks.reduce((sum, block) => sum + block.size, 0);
  const unusable = blocks.filter(({ state }) => state !== "active").length;
  const count = `${blocks.length} block${blocks.length === 1 ? "" : "s"}`;
  const rest = unusable > 0 ? `, ${unusable} of them reserved or on the way out` : "";
  return `node ${node} holds ${count}, ${used} of ${size} addresses in use${rest}`;
}
