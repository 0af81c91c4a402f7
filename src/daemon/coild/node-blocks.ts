import type { AddressBlock } from "../../crd/address-block.ts";
import type { Prefix } from "../../ip/prefix.ts";
import { type Block, blockFrom, isBlockProblem } from "../../ipam/block.ts";
import type { NodeIpam } from "../../ipam/node-ipam.ts";
import type { Logger } from "../../observe/logger.ts";
import { blockPrefixes } from "../../podnet/exports.ts";

/** Reads the node's AddressBlocks. */
export interface NodeBlocks {
  /** Those that can be used. The others are logged, once. */
  read(objects: readonly AddressBlock[]): Block[];
}

export function createNodeBlocks({ log }: { log: Logger }): NodeBlocks {
  let told = new Set<string>();
  return {
    read(objects) {
      const blocks: Block[] = [];
      const problems = new Set<string>();
      for (const object of objects) {
        const block = blockFrom(object);
        if (!isBlockProblem(block)) {
          blocks.push(block);
          continue;
        }
        const text = `${block.name}: ${block.problem}`;
        problems.add(text);
        if (!told.has(text)) log.warn({ block: block.name, problem: block.problem }, "ignoring a block");
      }
      told = problems;
      return blocks;
    },
  };
}

/** What of the node's blocks is exported: all but those that are being given back. */
export function exportedPrefixes(blocks: readonly Block[], ipam: Pick<NodeIpam, "usage">): Prefix[] {
  const leaving = new Set(ipam.usage().flatMap(({ block, state }) => (state === "releasing" ? [block] : [])));
  return blockPrefixes(blocks.filter(({ name }) => !leaving.has(name)));
}
