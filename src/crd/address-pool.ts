import { z } from "zod";
import { blockCountRules } from "./block-count-rules.ts";
import { conditionSchema } from "./condition.ts";
import type { ObjectMeta } from "./metadata.ts";
import { networkRules, usableRule } from "./network-rules.ts";
import { MAX_BLOCK_SIZE_BITS, MAX_NETWORK_TEXT, MAX_SUBNETS } from "./pool-limits.ts";
import { blockSizeRules, poolRules } from "./pool-rules.ts";
import { subnetRules, subnetsRules } from "./subnets-rules.ts";

const subnetSchema = z
  .object({
    ipv4: z
      .string()
      .max(MAX_NETWORK_TEXT)
      .exactOptional()
      .meta({
        description: "An IPv4 network, for example 10.2.0.0/16.",
        "x-kubernetes-validations": [...networkRules("ipv4"), usableRule("ipv4")],
      }),
    ipv6: z
      .string()
      .max(MAX_NETWORK_TEXT)
      .exactOptional()
      .meta({
        description: "An IPv6 network, for example fd02::/112.",
        "x-kubernetes-validations": [...networkRules("ipv6"), usableRule("ipv6")],
      }),
  })
  .meta({
    description: "An IPv4 network, an IPv6 network, or one of each with as many addresses.",
    "x-kubernetes-validations": subnetRules,
  });

const addressPoolSpecSchema = z
  .object({
    blockSizeBits: z.int32().min(0).max(MAX_BLOCK_SIZE_BITS).default(5).meta({
      description: "Log2 of the number of addresses in a block. Cannot be changed.",
      format: "int32",
      "x-kubernetes-validations": blockSizeRules,
    }),
    subnets: z.array(subnetSchema).min(1).max(MAX_SUBNETS).meta({
      description: "The networks of the pool. More can be appended; those that are there can be neither changed nor removed.",
      "x-kubernetes-list-type": "atomic",
      "x-kubernetes-validations": subnetsRules,
    }),
  })
  .meta({ description: "The addresses of the pool.", "x-kubernetes-validations": blockCountRules });

const addressPoolStatusSchema = z
  .object({
    observedGeneration: z.int().min(0).exactOptional().meta({
      description: "The metadata.generation this status was found for.",
      format: "int64",
    }),
    conditions: z
      .array(conditionSchema)
      .exactOptional()
      .meta({
        description: "Ready tells whether blocks are granted from the pool.",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
      }),
    maxBlocks: z
      .int()
      .min(0)
      .exactOptional()
      .meta({ description: "Number of blocks the pool can be cut into.", format: "int64" }),
    allocatedBlocks: z.int().min(0).exactOptional().meta({ description: "Number of blocks nodes have.", format: "int64" }),
  })
  .meta({ description: "What the controller found." });

/** Schema of an AddressPool without its metadata. */
export const addressPoolSchema = z
  .object({ spec: addressPoolSpecSchema.exactOptional(), status: addressPoolStatusSchema.exactOptional() })
  .meta({
    description: "A set of addresses that nodes take blocks from, for the pods of the namespaces that name it.",
    "x-kubernetes-validations": poolRules,
  });

/** An IPv4 network, an IPv6 network, or one of each with as many addresses. */
export type SubnetSet = z.output<typeof subnetSchema>;
/** The addresses of a pool. */
export type AddressPoolSpec = z.output<typeof addressPoolSpecSchema>;
/** What the controller found about a pool. */
export type AddressPoolStatus = z.output<typeof addressPoolStatusSchema>;

/** A set of addresses that nodes take blocks from. */
export interface AddressPool {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  spec: AddressPoolSpec;
  status?: AddressPoolStatus;
}

/** The condition of a pool that tells whether blocks are granted from it. */
export const POOL_READY = "Ready";
/** Reasons of {@link POOL_READY}: only `Granting` goes with status True. */
export type PoolReadyReason = "Granting" | "Overlap" | "Invalid" | "Terminating";
