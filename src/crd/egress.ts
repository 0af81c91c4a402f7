import { z } from "zod";
import { budgetRule, destinationRule, egressRules, egressSpecRules, rollingUpdateRule, strategyRules } from "./egress-rules.ts";
import { growthRule, intOrStringSchema, shareRule } from "./int-or-string.ts";
import type { ObjectMeta } from "./metadata.ts";
import { podTemplateSchema } from "./pod-template.ts";
import { MAX_NETWORK_TEXT } from "./pool-limits.ts";

/** Most destinations of an Egress. */
export const MAX_DESTINATIONS = 4096;

const share = intOrStringSchema.exactOptional();

const rollingUpdateSchema = z
  .object({
    maxSurge: share.meta({
      description: "How many gateway pods there may be beyond replicas; 25% if absent.",
      "x-kubernetes-validations": [growthRule],
    }),
    maxUnavailable: share.meta({
      description: "How many gateway pods may be unavailable; 25% if absent.",
      "x-kubernetes-validations": [shareRule],
    }),
  })
  .meta({ description: "How fast; only for type RollingUpdate.", "x-kubernetes-validations": [rollingUpdateRule] });

const strategySchema = z
  .object({
    type: z.enum(["Recreate", "RollingUpdate"]).exactOptional().meta({ description: "Recreate or RollingUpdate. Required." }),
    rollingUpdate: rollingUpdateSchema.exactOptional(),
  })
  .meta({
    description: "How gateway pods are replaced by new ones, as in a Deployment.",
    "x-kubernetes-validations": strategyRules,
  });

const sessionAffinityConfigSchema = z
  .object({
    clientIP: z
      .object({
        timeoutSeconds: z.int32().min(1).max(86400).exactOptional().meta({
          description: "How long a client stays with its gateway without traffic, in seconds.",
          format: "int32",
        }),
      })
      .exactOptional()
      .meta({ description: "Settings of ClientIP." }),
  })
  .meta({ description: "Settings of sessionAffinity, as in a Service. Only for ClientIP." });

const podDisruptionBudgetSchema = z
  .object({
    minAvailable: share.meta({
      description: "How many gateway pods must stay available.",
      "x-kubernetes-validations": [shareRule],
    }),
    maxUnavailable: share.meta({
      description: "How many gateway pods may be unavailable.",
      "x-kubernetes-validations": [shareRule],
    }),
  })
  .meta({
    description: "Makes a PodDisruptionBudget for the gateway pods. At most one of the two may be set.",
    "x-kubernetes-validations": [budgetRule],
  });

const destinationSchema = z
  .string()
  .max(MAX_NETWORK_TEXT)
  .meta({ "x-kubernetes-validations": [destinationRule] });

const egressSpecSchema = z
  .object({
    destinations: z.array(destinationSchema).min(1).max(MAX_DESTINATIONS).meta({
      description: "The networks that clients reach through this egress, for example 0.0.0.0/0 or 192.0.2.0/24.",
    }),
    replicas: z.int32().min(1).default(1).meta({ description: "Number of gateway pods.", format: "int32" }),
    strategy: strategySchema.exactOptional(),
    template: podTemplateSchema.exactOptional(),
    sessionAffinity: z.enum(["ClientIP", "None"]).default("ClientIP").meta({
      description: "ClientIP: all connections of a client leave by one gateway. None: each may leave by another.",
    }),
    sessionAffinityConfig: sessionAffinityConfigSchema.exactOptional(),
    fouSourcePortAuto: z.boolean().exactOptional().meta({
      description: "Whether the source port of the tunnel is chosen per connection, so that switches spread the load.",
    }),
    podDisruptionBudget: podDisruptionBudgetSchema.exactOptional(),
  })
  .meta({
    description: "Which networks are reached through the gateways, and how the gateways run.",
    "x-kubernetes-validations": egressSpecRules,
  });

const egressStatusSchema = z
  .object({
    replicas: z.int32().exactOptional().meta({ description: "Number of available gateway pods.", format: "int32" }),
    selector: z.string().exactOptional().meta({ description: "Label selector of the gateway pods, as text." }),
  })
  .meta({ description: "State of the gateways." });

/** Schema of an Egress without its metadata. */
export const egressSchema = z
  .object({ spec: egressSpecSchema.exactOptional(), status: egressStatusSchema.exactOptional() })
  .meta({
    description: "Gateways that translate the addresses of their client pods on the way to some destinations.",
    "x-kubernetes-validations": egressRules,
  });

/** Which networks are reached through the gateways, and how the gateways run. */
export type EgressSpec = z.output<typeof egressSpecSchema>;
/** State of the gateways. */
export type EgressStatus = z.output<typeof egressStatusSchema>;

/** Gateways that translate the addresses of their client pods on the way to some destinations. */
export interface Egress {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  spec: EgressSpec;
  status?: EgressStatus;
}
