import { z } from "zod";

/** A number, or a percentage as text, as in the Kubernetes API. */
export const intOrStringSchema = z.union([z.int32(), z.string().max(64)]).meta({ "x-kubernetes-int-or-string": true });

/** A number, or a percentage as text. */
export type IntOrString = z.output<typeof intOrStringSchema>;
