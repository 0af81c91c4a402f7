import { z } from "zod";
import type { ValidationRule } from "./cel.ts";

/** A number, or a percentage as text, as in the Kubernetes API. */
export const intOrStringSchema = z.union([z.int32(), z.string()]).meta({ "x-kubernetes-int-or-string": true, maxLength: 64 });

/** A number, or a percentage as text. */
export type IntOrString = z.output<typeof intOrStringSchema>;

/** Rule of a number of pods or a percentage of them, where more than 100% makes no sense. */
export const shareRule: ValidationRule = {
  rule: "type(self) == int ? self >= 0 : self.matches('^0*([0-9]{1,2}|100)%$')",
  message: "must be a number from 0, or a percentage up to 100%",
  messageExpression: `'"%s" is neither a number of pods from 0 nor a percentage from 0%% to 100%%: write for example 1 or 25%%'.format([self])`,
};

/** Rule of a number of pods or a percentage of them, where more than 100% is fine. */
export const growthRule: ValidationRule = {
  rule: "type(self) == int ? self >= 0 : self.matches('^[0-9]+%$')",
  message: "must be a number from 0, or a percentage",
  messageExpression: `'"%s" is neither a number of pods from 0 nor a percentage: write for example 1 or 25%%'.format([self])`,
};

/** CEL for "x is 0 or 0%". */
export function isZero(x: string): string {
  return `(type(${x}) == int ? ${x} == 0 : ${x}.matches('^0+%$'))`;
}
