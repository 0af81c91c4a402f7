import { z } from "zod";
import type { ObjectMeta } from "./metadata.ts";
import { labelValueRule, requestRules, requestSpecRules } from "./request-rules.ts";

const objectName = z.string().min(1).max(253);

const blockRequestSpecSchema = z
  .object({
    nodeName: objectName.meta({ description: "The node that wants a block.", "x-kubernetes-validations": [labelValueRule] }),
    poolName: objectName.meta({
      description: "The AddressPool it wants the block from.",
      "x-kubernetes-validations": [labelValueRule],
    }),
  })
  .meta({ description: "Who wants a block, and from where. Cannot be changed.", "x-kubernetes-validations": requestSpecRules });

const blockRequestConditionSchema = z
  .object({
    type: z.enum(["Complete", "Failed"]).meta({ description: "Complete when answered; Failed when there is no block." }),
    status: z.string().meta({ description: "True, False or Unknown." }),
    lastProbeTime: z.string().exactOptional().meta({ description: "When this was last found.", format: "date-time" }),
    lastTransitionTime: z.string().exactOptional().meta({ description: "When the status last changed.", format: "date-time" }),
    reason: z.string().exactOptional().meta({ description: "Why, in few words." }),
    message: z.string().exactOptional().meta({ description: "Why, in a sentence." }),
  })
  .meta({ description: "One aspect of the answer." });

const blockRequestStatusSchema = z
  .object({
    addressBlockName: z.string().exactOptional().meta({ description: "The AddressBlock that was granted." }),
    conditions: z
      .array(blockRequestConditionSchema)
      .exactOptional()
      .meta({ description: "The answer; absent while there is none." }),
  })
  .meta({ description: "The answer of the controller." });

/** Schema of a BlockRequest without its metadata. */
export const blockRequestSchema = z
  .object({ spec: blockRequestSpecSchema.exactOptional(), status: blockRequestStatusSchema.exactOptional() })
  .meta({ description: "The request of a node for one more block of a pool.", "x-kubernetes-validations": requestRules });

/** Who wants a block, and from where. */
export type BlockRequestSpec = z.output<typeof blockRequestSpecSchema>;
/** One aspect of the answer. Not a metav1.Condition: reasons may hold blanks. */
export type BlockRequestCondition = z.output<typeof blockRequestConditionSchema>;
/** The answer of the controller. */
export type BlockRequestStatus = z.output<typeof blockRequestStatusSchema>;

/** The request of a node for one more block of a pool. */
export interface BlockRequest {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  spec: BlockRequestSpec;
  status?: BlockRequestStatus;
}
