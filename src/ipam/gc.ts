import type { Block } from "./block.ts";

/**
 * Blocks whose node is gone, to be given back. `nodes` must have been read from the API after the blocks were, or a block of a node
 * that has just joined would count as an orphan. A block without a node label has no owner either.
 */
export function blocksOfVanishedNodes<B extends Pick<Block, "node">>(blocks: readonly B[], nodes: ReadonlySet<string>): B[] {
  return blocks.filter(({ node }) => !nodes.has(node));
}
