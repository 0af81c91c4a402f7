import { cel, type ValidationRule } from "./cel.ts";
import { MAX_LABEL_VALUE } from "./pool-limits.ts";
import { specRule } from "./spec-rule.ts";

/** Rules of a BlockRequest as a whole. */
export const requestRules: readonly ValidationRule[] = [specRule("give spec.nodeName and spec.poolName")];

/** Rules of the `spec` of a BlockRequest. */
export const requestSpecRules: readonly ValidationRule[] = [
  {
    rule: "self == oldSelf",
    reason: "FieldValueForbidden",
    message: "unchangeable: delete this request and make another",
    messageExpression: cel(`
      'unchangeable: it asks for a block of pool %s for node %s; delete it and make another request'.format(
        [oldSelf.poolName, oldSelf.nodeName])`),
  },
];

/** Rule of the name of a pool or node: blocks carry it as a label. */
export const labelValueRule: ValidationRule = {
  rule: `self.size() <= ${MAX_LABEL_VALUE}`,
  message: `must have at most ${MAX_LABEL_VALUE} characters, because blocks carry it as a label`,
  messageExpression: cel(`
    '"%s" has %d characters: a name can have ${MAX_LABEL_VALUE}, because blocks carry it as a label'.format([self, self.size()])`),
};
