import type { ValidationRule } from "./cel.ts";

/**
 * Rule of a whole object: it has a `spec`. The schema does not demand it, because objects without one may have been stored before
 * this rule and must still be able to lose their finalizer.
 */
export function specRule(message: string): ValidationRule {
  return {
    rule: "has(self.spec) || oldSelf.hasValue() && !has(oldSelf.value().spec)",
    optionalOldSelf: true,
    reason: "FieldValueRequired",
    fieldPath: ".spec",
    message,
  };
}
