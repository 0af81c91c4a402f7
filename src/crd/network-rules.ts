import type { Family } from "../ip/family.ts";
import { cel, isNetwork, type ValidationRule } from "./cel.ts";
import { UNUSABLE } from "./pool-limits.ts";

const NAME = { ipv4: "IPv4", ipv6: "IPv6" } as const;
const OTHER = { ipv4: "ipv6", ipv6: "ipv4" } as const;
const EXAMPLE = { ipv4: "10.2.0.0/16", ipv6: "fd02::/112" } as const;

/** Rules of a text that must be a network of the family, written without host bits. */
export function networkRules(family: Family): ValidationRule[] {
  const other = OTHER[family];
  return [
    {
      rule: isNetwork("self", family),
      message: `must be an ${NAME[family]} network, for example ${EXAMPLE[family]}`,
      messageExpression: cel(`
        isCIDR(self) ?
          '"%s" is an ${NAME[other]} network: give it as ${other}, and here an ${NAME[family]} network or nothing'.format([self]) :
        isIP(self) ?
          '"%s" has no prefix length: write a network, for example ${EXAMPLE[family]}'.format([self]) :
          '"%s" is not an ${NAME[family]} network: write for example ${EXAMPLE[family]}'.format([self])`),
    },
    {
      rule: `!(${isNetwork("self", family)}) || cidr(self).masked() == cidr(self)`,
      message: "must not have host bits set",
      messageExpression: `'"%s" has host bits set: the network is %s'.format([self, string(cidr(self).masked())])`,
    },
  ];
}

/** Rule of a text that may be a network: pods can have its addresses. */
export function usableRule(family: Family): ValidationRule {
  const unusable = `[${UNUSABLE[family].map((network) => `'${network}'`).join(", ")}]`;
  const overlapping = "cidr(u).containsCIDR(cidr(self)) || cidr(self).containsCIDR(cidr(u))";
  return {
    rule: `!(${isNetwork("self", family)}) || !${unusable}.exists(u, ${overlapping})`,
    message: `must not overlap ${UNUSABLE[family].join(", ")}, whose addresses pods cannot have`,
    messageExpression: cel(`
      ${unusable}.map(u, ${overlapping},
        '"%s" overlaps %s, whose addresses pods cannot have: use for example ${EXAMPLE[family]}'.format([self, u]))[0]`),
  };
}
