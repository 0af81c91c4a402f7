import { z } from "zod";
import type { ObjectMeta } from "./metadata.ts";

/** Schema of an AddressBlock without its metadata. The fields are at the top, not under `spec`. */
export const addressBlockSchema = z
  .object({
    index: z.int32().min(0).meta({ description: "The number of the block in its pool, from 0.", format: "int32" }),
    ipv4: z.string().max(64).exactOptional().meta({ description: "The IPv4 network of the block." }),
    ipv6: z.string().max(64).exactOptional().meta({ description: "The IPv6 network of the block." }),
  })
  .meta({ description: "A part of a pool that one node gives addresses from." });

/** A part of a pool that one node gives addresses from; its labels say which pool and node. */
export interface AddressBlock extends z.output<typeof addressBlockSchema> {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}
