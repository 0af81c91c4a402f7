import { defineStruct } from "../netlink/struct.ts";

/**
 * The structures of rtnetlink, with the members' C names; sizes and offsets are compared with the headers in constants.test.ts.
 */

/** Links. */
export const ifinfomsg = defineStruct("ifinfomsg", {
  ifi_family: "u8",
  __ifi_pad: "u8",
  ifi_type: "u16",
  ifi_index: "s32",
  ifi_flags: "u32",
  ifi_change: "u32",
});

/** Addresses of links. */
export const ifaddrmsg = defineStruct("ifaddrmsg", {
  ifa_family: "u8",
  ifa_prefixlen: "u8",
  ifa_flags: "u8",
  ifa_scope: "u8",
  ifa_index: "u32",
});

/** Routes. */
export const rtmsg = defineStruct("rtmsg", {
  rtm_family: "u8",
  rtm_dst_len: "u8",
  rtm_src_len: "u8",
  rtm_tos: "u8",
  rtm_table: "u8",
  rtm_protocol: "u8",
  rtm_scope: "u8",
  rtm_type: "u8",
  rtm_flags: "u32",
});

/** One of several next hops. */
export const rtnexthop = defineStruct("rtnexthop", { rtnh_len: "u16", rtnh_flags: "u8", rtnh_hops: "u8", rtnh_ifindex: "s32" });

/** Rules. */
export const fibRuleHdr = defineStruct("fib_rule_hdr", {
  family: "u8",
  dst_len: "u8",
  src_len: "u8",
  tos: "u8",
  table: "u8",
  res1: "u8",
  res2: "u8",
  action: "u8",
  flags: "u32",
});

/** Neighbours. */
export const ndmsg = defineStruct("ndmsg", {
  ndm_family: "u8",
  ndm_pad1: "u8",
  ndm_pad2: "u16",
  ndm_ifindex: "s32",
  ndm_state: "u16",
  ndm_flags: "u8",
  ndm_type: "u8",
});

/** Numbers of namespaces. */
export const rtgenmsg = defineStruct("rtgenmsg", { rtgen_family: "u8" });
