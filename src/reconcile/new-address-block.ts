import type { AddressBlock } from "../crd/address-block.ts";
import { API_VERSION, FINALIZER, LABEL_NODE, LABEL_POOL, LABEL_REQUEST } from "../crd/names.ts";
import { formatPrefix } from "../ip/prefix.ts";
import type { BlockPrefixes } from "../ipam/layout.ts";

/** What a new block is made from. */
export interface NewBlock extends BlockPrefixes {
  readonly pool: { readonly name: string; readonly uid: string };
  readonly index: number;
  /** Name of the node that asked. */
  readonly node: string;
  /** UID of the BlockRequest it answers. */
  readonly request: string;
}

/** Name of a block: the same for everyone who grants this index, so that the API server refuses the second. */
export function blockName(pool: string, index: number): string {
  return `${pool}-${index}`;
}

/** The AddressBlock to create. The node is not an owner: the block outlives it until its pods are surely gone. */
export function newAddressBlock({ pool, index, node, request, ipv4, ipv6 }: NewBlock): AddressBlock {
  return {
    metadata: {
      name: blockName(pool.name, index),
      labels: { [LABEL_POOL]: pool.name, [LABEL_NODE]: node, [LABEL_REQUEST]: request },
      finalizers: [FINALIZER],
      ownerReferences: [
        {
          ...{ apiVersion: API_VERSION, kind: "AddressPool", name: pool.name, uid: pool.uid },
          ...{ controller: true, blockOwnerDeletion: true },
        },
      ],
    },
    index,
    ...(ipv4 && { ipv4: formatPrefix(ipv4) }),
    ...(ipv6 && { ipv6: formatPrefix(ipv6) }),
  };
}
