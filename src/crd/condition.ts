import { z } from "zod";

/** A metav1.Condition, with the limits the Kubernetes API conventions give. */
export const conditionSchema = z
  .object({
    type: z
      .string()
      .max(316)
      .regex(/^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$/)
      .meta({ description: "What the condition is about, in CamelCase." }),
    status: z.enum(["True", "False", "Unknown"]).meta({ description: "Whether the condition holds." }),
    observedGeneration: z.int().min(0).exactOptional().meta({
      description: "The metadata.generation this condition was found for.",
      format: "int64",
    }),
    lastTransitionTime: z.string().meta({ description: "When the status last changed.", format: "date-time" }),
    reason: z
      .string()
      .min(1)
      .max(1024)
      .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
      .meta({ description: "Why, as one word in CamelCase." }),
    message: z.string().max(32768).meta({ description: "Why, in words." }),
  })
  .meta({ description: "One aspect of the state of the object." });

/** One aspect of the state of an object, as in the Kubernetes API conventions. */
export type Condition = z.output<typeof conditionSchema>;
