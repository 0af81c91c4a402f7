import type { Family } from "../../ip/family.ts";
import { formatPrefix, type Prefix } from "../../ip/prefix.ts";
import { encode } from "../netlink/body.ts";
import { NLM_F_CREATE, NLM_F_EXCL } from "../netlink/constants.ts";
import { familyNumber } from "./codecs.ts";
import { FR_ACT_TO_TBL, RT_TABLE_UNSPEC, RTM_DELRULE, RTM_NEWRULE } from "./constants.ts";
import type { RouteRequest } from "./request.ts";
import { ruleMessage } from "./rule.ts";

/** A rule that sends packets to a routing table. */
export interface NewRule {
  readonly family: Family;
  readonly priority: number;
  readonly table: number;
  readonly source?: Prefix | undefined;
  readonly destination?: Prefix | undefined;
  readonly fwmark?: number | undefined;
  /** All bits if absent. */
  readonly fwmask?: number | undefined;
  readonly iif?: string | undefined;
  readonly oif?: string | undefined;
  /** Who makes it; see /etc/iproute2/rt_protos. Unspecified if absent. */
  readonly protocol?: number | undefined;
}

/** Adds a rule. `EEXIST`: there is the same. */
export function addRule(rule: NewRule): RouteRequest {
  return { describe: describe("add", rule), type: RTM_NEWRULE, flags: NLM_F_CREATE | NLM_F_EXCL, payload: payloadOf(rule) };
}

/** Deletes the first rule that has all that is given; an absent condition matches any. `ENOENT`: there is none. */
export function deleteRule(rule: NewRule): RouteRequest {
  return { describe: describe("delete", rule), type: RTM_DELRULE, flags: 0, payload: payloadOf(rule) };
}

function payloadOf({ family, priority, table, source, destination, fwmark, fwmask, iif, oif, protocol }: NewRule): Uint8Array {
  return encode(ruleMessage, {
    header: {
      family: familyNumber(family),
      src_len: source?.length ?? 0,
      dst_len: destination?.length ?? 0,
      table: table < 256 ? table : RT_TABLE_UNSPEC,
      action: FR_ACT_TO_TBL,
    },
    attributes: {
      priority,
      table,
      source: source?.address,
      destination: destination?.address,
      fwmark,
      fwmask,
      iif,
      oif,
      protocol,
    },
  });
}

function describe(verb: string, { family, priority, table, source, destination }: NewRule): string {
  const from = source ? ` from ${formatPrefix(source)}` : "";
  const to = destination ? ` to ${formatPrefix(destination)}` : "";
  return `${verb} ${family} rule ${priority}${from}${to} for table ${table}`;
}
