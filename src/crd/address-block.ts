import { z } from "zod";
import { blockRules, unchangeableRule } from "./block-rules.ts";
import type { ObjectMeta } from "./metadata.ts";
import { networkRules } from "./network-rules.ts";
import { MAX_NETWORK_TEXT } from "./pool-limits.ts";

const networkText = z.string().max(MAX_NETWORK_TEXT).exactOptional();

/** Schema of an AddressBlock without its metadata. The fields are at the top, not under `spec`. */
export const addressBlockSchema = z
  .object({
    index: z
      .int32()
      .min(0)
      .meta({
        description: "The number of the block in its pool, from 0. Cannot be changed.",
        format: "int32",
        "x-kubernetes-validations": [unchangeableRule("%d")],
      }),
    ipv4: networkText.meta({
      description: "The IPv4 network of the block. Cannot be changed.",
      "x-kubernetes-validations": [...networkRules("ipv4"), unchangeableRule("%s")],
    }),
    ipv6: networkText.meta({
      description: "The IPv6 network of the block. Cannot be changed.",
      "x-kubernetes-validations": [...networkRules("ipv6"), unchangeableRule("%s")],
    }),
  })
  .meta({
    description: "A part of a pool that one node gives addresses from. Its labels say which pool and which node.",
    "x-kubernetes-validations": blockRules,
  });

/** A part of a pool that one node gives addresses from; its labels say which pool and node. */
export interface AddressBlock extends z.output<typeof addressBlockSchema> {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}
