import { addressOf } from "../../ip/address.ts";
import type { Family } from "../../ip/family.ts";
import type { Prefix } from "../../ip/prefix.ts";
import { attributeSet } from "../netlink/attributes.ts";
import { bodyOf } from "../netlink/body.ts";
import { bytes, u8, u32 } from "../netlink/codec.ts";
import type { NetlinkMessage } from "../netlink/message.ts";
import { cstring } from "../netlink/text.ts";
import { familyOfNumber, ipAddress } from "./codecs.ts";
import {
  FIB_RULE_INVERT,
  FRA_DPORT_RANGE,
  FRA_DST,
  FRA_FWMARK,
  FRA_FWMASK,
  FRA_GOTO,
  FRA_IIFNAME,
  FRA_IP_PROTO,
  FRA_L3MDEV,
  FRA_OIFNAME,
  FRA_PRIORITY,
  FRA_PROTOCOL,
  FRA_SPORT_RANGE,
  FRA_SRC,
  FRA_SUPPRESS_PREFIXLEN,
  FRA_TABLE,
  FRA_UID_RANGE,
} from "./constants.ts";
import { nameOf, RULE_ACTIONS, type RuleAction } from "./names.ts";
import { fibRuleHdr } from "./structs.ts";

/** "Suppress nothing", which IPv4 writes down instead of leaving the attribute out. */
const NO_SUPPRESSION = 0xffffffff;

/** Rules in messages. */
export const ruleMessage = bodyOf(
  fibRuleHdr,
  attributeSet(
    {
      priority: { type: FRA_PRIORITY, codec: u32 },
      table: { type: FRA_TABLE, codec: u32 },
      source: { type: FRA_SRC, codec: ipAddress },
      destination: { type: FRA_DST, codec: ipAddress },
      fwmark: { type: FRA_FWMARK, codec: u32 },
      fwmask: { type: FRA_FWMASK, codec: u32 },
      iif: { type: FRA_IIFNAME, codec: cstring },
      oif: { type: FRA_OIFNAME, codec: cstring },
      goto: { type: FRA_GOTO, codec: u32 },
      protocol: { type: FRA_PROTOCOL, codec: u8 },
      suppressPrefixLength: { type: FRA_SUPPRESS_PREFIXLEN, codec: u32 },
      l3mdev: { type: FRA_L3MDEV, codec: u8 },
      ipProtocol: { type: FRA_IP_PROTO, codec: u8 },
      uidRange: { type: FRA_UID_RANGE, codec: bytes },
      sourcePorts: { type: FRA_SPORT_RANGE, codec: bytes },
      destinationPorts: { type: FRA_DPORT_RANGE, codec: bytes },
    },
    { unknown: "drop" },
  ),
);

/** A rule of the policy database: which routing table is asked for which packets. */
export interface Rule {
  readonly family: Family;
  /** Rules are asked in this order, the lowest first. */
  readonly priority: number;
  readonly action: RuleAction | number;
  /** 0 unless the action is `lookup`. */
  readonly table: number;
  /** Absent: from anywhere. */
  readonly source?: Prefix;
  /** Absent: to anywhere. */
  readonly destination?: Prefix;
  readonly fwmark?: number;
  readonly fwmask?: number;
  readonly iif?: string;
  readonly oif?: string;
  readonly tos?: number;
  /** The priority of the rule to go on with. */
  readonly goto?: number;
  /** For packets that do not match. */
  readonly invert: boolean;
  /** Who made it: 2 the kernel, 0 when its maker did not say, as `ip` does not. */
  readonly protocol?: number;
  readonly suppressPrefixLength?: number;
  /** The table is that of the packet's VRF. */
  readonly l3mdev: boolean;
  /** It also looks at ports, the protocol or the user, which are not told here. */
  readonly furtherConditions: boolean;
}

/** Reads RTM_NEWRULE and RTM_DELRULE; undefined for families other than IPv4 and IPv6. */
export function decodeRule({ view, start, end }: NetlinkMessage): Rule | undefined {
  const { header, attributes } = ruleMessage.decode(view, start, end);
  const family = familyOfNumber(header.family);
  if (!family) return undefined;
  const { fwmark, fwmask, iif, oif, protocol, suppressPrefixLength, l3mdev } = attributes;
  const prefix = (address: Prefix["address"] | undefined, length: number): Prefix | undefined =>
    length === 0 && !address ? undefined : { address: address ?? addressOf(family, 0n), length };
  const source = prefix(attributes.source, header.src_len);
  const destination = prefix(attributes.destination, header.dst_len);
  const { ipProtocol, uidRange, sourcePorts, destinationPorts } = attributes;
  return {
    family,
    priority: attributes.priority ?? 0,
    action: nameOf(RULE_ACTIONS, header.action),
    table: attributes.table ?? header.table,
    ...(source && { source }),
    ...(destination && { destination }),
    // A mark without a mask is told with all bits set.
    ...((fwmark !== undefined || fwmask !== undefined) && { fwmark: fwmark ?? 0, fwmask: fwmask ?? 0xffffffff }),
    ...(iif !== undefined && { iif }),
    ...(oif !== undefined && { oif }),
    ...(header.tos !== 0 && { tos: header.tos }),
    ...(attributes.goto !== undefined && { goto: attributes.goto }),
    invert: (header.flags & FIB_RULE_INVERT) !== 0,
    ...(protocol !== undefined && { protocol }),
    ...(suppressPrefixLength !== undefined && suppressPrefixLength !== NO_SUPPRESSION && { suppressPrefixLength }),
    l3mdev: (l3mdev ?? 0) !== 0,
    furtherConditions: [ipProtocol, uidRange, sourcePorts, destinationPorts].some((condition) => condition !== undefined),
  };
}
