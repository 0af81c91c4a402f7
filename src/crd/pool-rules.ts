import { cel, type ValidationRule } from "./cel.ts";
import { MAX_LABEL_VALUE } from "./pool-limits.ts";
import { specRule } from "./spec-rule.ts";

/** Rules of an AddressPool as a whole. */
export const poolRules: readonly ValidationRule[] = [
  {
    // Only at creation: a pool that was stored before this rule can still be changed and deleted.
    rule: `oldSelf.hasValue() || self.metadata.name.size() <= ${MAX_LABEL_VALUE}`,
    optionalOldSelf: true,
    fieldPath: ".metadata",
    message: `the name of a pool must have at most ${MAX_LABEL_VALUE} characters: its blocks carry it as a label`,
    messageExpression: cel(`
      'the name "%s" has %d characters: use at most ${MAX_LABEL_VALUE}, because blocks carry it as a label'.format(
        [self.metadata.name, self.metadata.name.size()])`),
  },
  specRule("give spec.subnets at least one network, for example ipv4: 10.2.0.0/16"),
];

/** Rules of `spec.blockSizeBits`. */
export const blockSizeRules: readonly ValidationRule[] = [
  {
    rule: "self == oldSelf",
    reason: "FieldValueForbidden",
    message: "unchangeable: blocks of this size may be in use; make another pool",
    messageExpression: cel(`
      'unchangeable: blocks of 2^%d addresses may be in use; leave it %d, or make another pool with %d'.format(
        [oldSelf, oldSelf, self])`),
  },
];
