import { FAMILIES, type Family, familyBits } from "../ip/family.ts";
import { cel, isNetwork, numbers, type ValidationRule } from "./cel.ts";
import { MAX_BLOCKS, MAX_INDEX_BITS } from "./pool-limits.ts";

const POWERS_OF_TWO = numbers(MAX_INDEX_BITS + 1, (n) => 2 ** n);
// Host bits come from ipv4 if there is one, as in the arithmetic of blocks.
const COUNTABLE = `(has(s.ipv4) ? ${isNetwork("s.ipv4", "ipv4")} : has(s.ipv6) && ${isNetwork("s.ipv6", "ipv6")})`;
const INDEX_BITS = "((has(s.ipv4) ? 32 - cidr(s.ipv4).prefixLength() : 128 - cidr(s.ipv6).prefixLength()) - self.blockSizeBits)";

/** Rules of the `spec` of a pool: how many blocks of `blockSizeBits` its subnets have. */
export const blockCountRules: readonly ValidationRule[] = [...FAMILIES.map(narrowRule), wideRule(), countRule()];

/** Every network holds at least one block. */
function narrowRule(family: Family): ValidationRule {
  const bits = familyBits(family);
  const narrow = `has(s.${family}) && ${isNetwork(`s.${family}`, family)} && ${bits} - cidr(s.${family}).prefixLength() < self.blockSizeBits`;
  return {
    rule: `!self.subnets.exists(s, ${narrow})`,
    fieldPath: ".subnets",
    message: `too narrow subnet: an ${family} network holds less than one block`,
    messageExpression: cel(`
      self.subnets.map(s, ${narrow},
        'too narrow subnet: %s has 2^%d addresses, a block 2^%d (blockSizeBits); use a /%d or wider'.format(
          [s.${family}, ${bits} - cidr(s.${family}).prefixLength(), self.blockSizeBits, ${bits} - self.blockSizeBits]))[0]`),
  };
}

/** No subnet has more blocks than a pool can have. */
function wideRule(): ValidationRule {
  return {
    rule: `!self.subnets.exists(s, ${COUNTABLE} && ${INDEX_BITS} > ${MAX_INDEX_BITS})`,
    fieldPath: ".subnets",
    message: `too wide subnet: a pool can have at most 2^${MAX_INDEX_BITS} blocks`,
    messageExpression: cel(`
      self.subnets.map(s, ${COUNTABLE} && ${INDEX_BITS} > ${MAX_INDEX_BITS},
        'too wide subnet: %s has 2^%d blocks of 2^%d addresses, a pool can have 2^${MAX_INDEX_BITS}; use a /%d or narrower'.format(
          [has(s.ipv4) ? s.ipv4 : s.ipv6, ${INDEX_BITS}, self.blockSizeBits, (has(s.ipv4) ? 32 : 128) - ${MAX_INDEX_BITS} - self.blockSizeBits]))[0]`),
  };
}

/** The subnets together have no more blocks than a pool can have: their numbers are int32. */
function countRule(): ValidationRule {
  const blocks = `[${INDEX_BITS}].map(n, n < 0 || n > ${MAX_INDEX_BITS} ? 0 : ${POWERS_OF_TWO}[n])[0]`;
  const count = `self.subnets.map(s, ${COUNTABLE} ? ${blocks} : 0).sum()`;
  return {
    rule: `${count} <= ${MAX_BLOCKS}`,
    fieldPath: ".subnets",
    message: `too many blocks: a pool can have at most ${MAX_BLOCKS}`,
    messageExpression: cel(`
      'too many blocks: the subnets have %d of 2^%d addresses, a pool can have ${MAX_BLOCKS}; put some into another pool'.format(
        [${count}, self.blockSizeBits])`),
  };
}
