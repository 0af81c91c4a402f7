import { addressBlockSchema } from "./address-block.ts";
import { addressPoolSchema } from "./address-pool.ts";
import { blockRequestSchema } from "./block-request.ts";
import { customResourceDefinition, type PrinterColumn } from "./custom-resource-definition.ts";
import { egressSchema } from "./egress.ts";
import { LABEL_NODE, LABEL_POOL } from "./names.ts";
import { addressBlocks, addressPools, blockRequests, egresses } from "./resources.ts";

const AGE: PrinterColumn = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" };

/** The CustomResourceDefinitions of the product by the plural of their resource. */
export const definitions: ReadonlyMap<string, object> = new Map([
  [
    addressPools.plural,
    customResourceDefinition(addressPools, {
      schema: addressPoolSchema,
      subresources: { status: {} },
      columns: [
        { name: "BlockSize Bits", type: "integer", jsonPath: ".spec.blockSizeBits" },
        { name: "Ready", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
        { name: "Reason", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].reason' },
        { name: "Max Blocks", type: "integer", jsonPath: ".status.maxBlocks" },
        { name: "Allocated", type: "integer", jsonPath: ".status.allocatedBlocks" },
        AGE,
      ],
    }),
  ],
  [
    addressBlocks.plural,
    customResourceDefinition(addressBlocks, {
      schema: addressBlockSchema,
      columns: [
        { name: "Node", type: "string", jsonPath: `.metadata.labels['${escaped(LABEL_NODE)}']` },
        { name: "Pool", type: "string", jsonPath: `.metadata.labels['${escaped(LABEL_POOL)}']` },
        { name: "IPv4", type: "string", jsonPath: ".ipv4" },
        { name: "IPv6", type: "string", jsonPath: ".ipv6" },
      ],
    }),
  ],
  [
    blockRequests.plural,
    customResourceDefinition(blockRequests, {
      schema: blockRequestSchema,
      subresources: { status: {} },
      selectableFields: [".spec.nodeName", ".spec.poolName"],
    }),
  ],
  [
    egresses.plural,
    customResourceDefinition(egresses, {
      schema: egressSchema,
      subresources: {
        status: {},
        scale: {
          specReplicasPath: ".spec.replicas",
          statusReplicasPath: ".status.replicas",
          labelSelectorPath: ".status.selector",
        },
      },
    }),
  ],
]);

function escaped(key: string): string {
  return key.replaceAll(".", "\\.");
}
