import { cel, type ValidationRule } from "./cel.ts";
import { isZero } from "./int-or-string.ts";
import { MAX_LABEL_VALUE } from "./pool-limits.ts";
import { specRule } from "./spec-rule.ts";

/** Rules of an Egress as a whole. */
export const egressRules: readonly ValidationRule[] = [
  {
    // Only at creation: an Egress that was stored before this rule can still be changed and deleted.
    rule: `oldSelf.hasValue() || self.metadata.name.size() <= ${MAX_LABEL_VALUE} && !self.metadata.name.contains('.')`,
    optionalOldSelf: true,
    fieldPath: ".metadata",
    message: `the name of an Egress must have at most ${MAX_LABEL_VALUE} characters and no dots: its Service has the same name`,
    messageExpression: cel(`
      'the name "%s" has %d characters%s: use at most ${MAX_LABEL_VALUE} and no dots, because a Service is made with this name'.format(
        [self.metadata.name, self.metadata.name.size(), self.metadata.name.contains('.') ? ' and dots' : ''])`),
  },
  specRule("give spec.destinations at least one network, for example 0.0.0.0/0"),
];

/** Rules of the `spec` of an Egress. */
export const egressSpecRules: readonly ValidationRule[] = [
  {
    rule: "!has(self.sessionAffinityConfig) || self.sessionAffinity == 'ClientIP'",
    reason: "FieldValueForbidden",
    fieldPath: ".sessionAffinityConfig",
    message: "only for sessionAffinity ClientIP: remove it, or set sessionAffinity to ClientIP",
  },
];

/** Rule of an item of `spec.destinations`. Host bits are tolerated: the network is taken. */
export const destinationRule: ValidationRule = {
  rule: "isCIDR(self)",
  message: "must be a network, for example 0.0.0.0/0 or 192.0.2.0/24",
  messageExpression: cel(`
    isIP(self) ?
      '"%s" has no prefix length: write %s/%d for this one address'.format([self, self, ip(self).family() == 4 ? 32 : 128]) :
      '"%s" is not a network: write for example 0.0.0.0/0 or 192.0.2.0/24'.format([self])`),
};

/** Rules of `spec.strategy`. */
export const strategyRules: readonly ValidationRule[] = [
  {
    rule: "has(self.type)",
    reason: "FieldValueRequired",
    fieldPath: ".type",
    message: "give Recreate or RollingUpdate",
  },
  {
    rule: "!has(self.rollingUpdate) || !has(self.type) || self.type == 'RollingUpdate'",
    reason: "FieldValueForbidden",
    fieldPath: ".rollingUpdate",
    message: "only for type RollingUpdate: remove it, or set type to RollingUpdate",
  },
];

/** Rule of `spec.strategy.rollingUpdate`. */
export const rollingUpdateRule: ValidationRule = {
  rule: `!has(self.maxSurge) || !has(self.maxUnavailable) || !${isZero("self.maxSurge")} || !${isZero("self.maxUnavailable")}`,
  message: "maxSurge and maxUnavailable must not both be 0: no pod could be replaced",
};

/** Rule of `spec.podDisruptionBudget`. */
export const budgetRule: ValidationRule = {
  rule: "!has(self.minAvailable) || !has(self.maxUnavailable)",
  message: "minAvailable and maxUnavailable cannot be both set: remove one",
  messageExpression: cel(`
    'minAvailable and maxUnavailable cannot be both set: they are %s and %s, remove one'.format(
      [self.minAvailable, self.maxUnavailable])`),
};

const NAME = "([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]";
const DOMAIN = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";

/** Rule of a map whose keys are label or annotation keys. */
export function keysRule(noun: "label" | "annotation"): ValidationRule {
  // The API server reads annotation keys without regard to case.
  const pattern = `^${noun === "annotation" ? "(?i)" : ""}(${DOMAIN}/)?${NAME}$`;
  const owner = noun === "label" ? "a label" : "an annotation";
  const bad = `!k.matches('${pattern}') || k.indexOf('/') > 253`;
  return {
    rule: `!self.exists(k, ${bad})`,
    message: `every key must be that of ${owner}, for example app.kubernetes.io/part-of`,
    messageExpression: cel(`
      self.map(k, ${bad},
        '"%s" is not the key of ${owner}: want up to 63 letters, digits, "-", "_" or "." between letters or digits, after a domain and "/" or alone, for example app.kubernetes.io/part-of'.format([k]))[0]`),
  };
}

/** Rule of a text that is the value of a label. */
export const labelTextRule: ValidationRule = {
  rule: `self == '' || self.matches('^${NAME}$')`,
  message: "must be the value of a label",
  messageExpression: cel(`
    '"%s" is not the value of a label: want up to 63 letters, digits, "-", "_" or "." between letters or digits'.format([self])`),
};
