import { FAMILIES, type Family } from "../ip/family.ts";
import { sameSizeRule } from "./block-rules.ts";
import { cel, numbers, type ValidationRule } from "./cel.ts";
import { MAX_SUBNETS } from "./pool-limits.ts";

const INDICES = numbers(MAX_SUBNETS, (n) => n);

/** Rules of `spec.subnets`. */
export const subnetsRules: readonly ValidationRule[] = [
  ...FAMILIES.map(overlapRule),
  {
    rule: `self.all(s, has(s.ipv4) == has(self[0].ipv4) && has(s.ipv6) == has(self[0].ipv6))`,
    message: "all subnets of a pool must have the same families",
    messageExpression: cel(`
      ${INDICES}.map(i, i < self.size() && (has(self[i].ipv4) != has(self[0].ipv4) || has(self[i].ipv6) != has(self[0].ipv6)),
        'mixed families: subnets[0] has %s, subnets[%d] has %s; give all the same, or make another pool'.format(
          [${families("self[0]")}, i, ${families("self[i]")}]))[0]`),
  },
  {
    rule: "self.size() >= oldSelf.size()",
    reason: "FieldValueForbidden",
    message: "unshrinkable: blocks of a removed subnet may be in use",
    messageExpression: cel(`
      'unshrinkable: there were %d subnets, now %d; blocks of a removed one may be in use, so keep them all, or make another pool'.format(
        [oldSelf.size(), self.size()])`),
  },
  ...FAMILIES.map(unchangeableRule),
];

/** Rules of an item of `spec.subnets`. */
export const subnetRules: readonly ValidationRule[] = [
  {
    rule: "has(self.ipv4) || has(self.ipv6)",
    message: "invalid subnet: give ipv4, ipv6 or both",
  },
  sameSizeRule("subnet"),
];

function families(subnet: string): string {
  return `(has(${subnet}.ipv4) ? (has(${subnet}.ipv6) ? 'ipv4 and ipv6' : 'ipv4') : has(${subnet}.ipv6) ? 'ipv6' : 'none')`;
}

/** No address is in two subnets of the pool. */
function overlapRule(family: Family): ValidationRule {
  const [a, b] = [`a.${family}`, `b.${family}`];
  const overlapping = `has(${b}) && isCIDR(${b}) && (n.containsCIDR(cidr(${b})) || cidr(${b}).containsCIDR(n))`;
  // Each network overlaps itself: exactly one means no other.
  const alone = `[cidr(${a})].all(n, self.exists_one(b, ${overlapping}))`;
  return {
    rule: `self.all(a, !has(${a}) || !isCIDR(${a}) || ${alone})`,
    message: `${family} networks of a pool must not overlap`,
    // The first network with an overlap is the first of those it overlaps, because it overlaps itself.
    messageExpression: cel(`
      self.map(a, has(${a}) && isCIDR(${a}) && !${alone},
        [cidr(${a})].map(n, self.map(b, ${overlapping},
          '%s overlaps %s: an address can be in a pool only once; remove one, or split the wider'.format([${b}, ${a}]))[1])[0])[0]`),
  };
}

/** The subnets that were there stay, at their places: block numbers count through them. Other text for the same network is fine. */
function unchangeableRule(family: Family): ValidationRule {
  const [now, old] = [`self[i].${family}`, `oldSelf[i].${family}`];
  const same = `${now} == ${old} || isCIDR(${now}) && isCIDR(${old}) && cidr(${now}).masked() == cidr(${old}).masked()`;
  const kept = `(has(${now}) && has(${old}) ? ${same} : has(${now}) == has(${old}))`;
  const changed = `i < self.size() && i < oldSelf.size() && !${kept}`;
  const show = (field: string) => `has(${field}) ? ${field} : 'nothing'`;
  return {
    rule: `!${INDICES}.exists(i, ${changed})`,
    reason: "FieldValueForbidden",
    message: "unchangeable: subnets that are there stay as they are; append new ones",
    messageExpression: cel(`
      ${INDICES}.map(i, ${changed},
        'unchangeable: subnets[%d].${family} was %s, now %s; its blocks may be in use, so leave it and append new subnets'.format(
          [i, ${show(old)}, ${show(now)}]))[0]`),
  };
}
