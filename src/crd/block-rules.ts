import { FAMILIES, type Family } from "../ip/family.ts";
import { cel, isNetwork, type ValidationRule } from "./cel.ts";

/** Rules of an AddressBlock as a whole. */
export const blockRules: readonly ValidationRule[] = [
  {
    rule: "has(self.ipv4) || has(self.ipv6)",
    message: "empty block: give ipv4, ipv6 or both",
  },
  sameSizeRule("block"),
  ...FAMILIES.map(presenceRule),
];

/** Rule of an object with `ipv4` and `ipv6`: where both are given, they have as many addresses. */
export function sameSizeRule(noun: "block" | "subnet"): ValidationRule {
  const both = `has(self.ipv4) && ${isNetwork("self.ipv4", "ipv4")} && has(self.ipv6) && ${isNetwork("self.ipv6", "ipv6")}`;
  return {
    rule: `!(${both}) || cidr(self.ipv6).prefixLength() == 96 + cidr(self.ipv4).prefixLength()`,
    message: `dual stack ${noun} must be the same size`,
    messageExpression: cel(`
      'dual stack ${noun} must be the same size: %s has 2^%d addresses, %s has 2^%d; a /%d goes with an ipv6 /%d'.format(
        [self.ipv4, 32 - cidr(self.ipv4).prefixLength(), self.ipv6, 128 - cidr(self.ipv6).prefixLength(),
         cidr(self.ipv4).prefixLength(), 96 + cidr(self.ipv4).prefixLength()])`),
  };
}

/** Rule of a field that keeps its value; `verb` is how CEL formats it. */
export function unchangeableRule(verb: "%s" | "%d"): ValidationRule {
  return {
    rule: "self == oldSelf",
    reason: "FieldValueForbidden",
    message: "unchangeable: it would be another block",
    messageExpression: `'unchangeable: it is ${verb}, so leave it; ${verb} would be another block'.format([oldSelf, self])`,
  };
}

function presenceRule(family: Family): ValidationRule {
  return {
    rule: `has(self.${family}) == has(oldSelf.${family})`,
    reason: "FieldValueForbidden",
    fieldPath: `.${family}`,
    message: "unchangeable: it can be neither added nor removed",
    messageExpression: cel(`
      has(self.${family}) ? 'unchangeable: the block has no ${family}, so do not add %s'.format([self.${family}]) :
        'unchangeable: it is %s, so leave it'.format([oldSelf.${family}])`),
  };
}
