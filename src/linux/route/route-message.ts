import type { Address } from "../../ip/address.ts";
import { attributeSet } from "../netlink/attributes.ts";
import { bodyOf } from "../netlink/body.ts";
import { type Codec, u32 } from "../netlink/codec.ts";
import { MessageSyntaxError } from "../netlink/message-syntax-error.ts";
import { ipAddress, viaAddress } from "./codecs.ts";
import {
  RTA_DST,
  RTA_GATEWAY,
  RTA_METRICS,
  RTA_MULTIPATH,
  RTA_OIF,
  RTA_PREFSRC,
  RTA_PRIORITY,
  RTA_TABLE,
  RTA_VIA,
  RTAX_MTU,
} from "./constants.ts";
import { rtmsg, rtnexthop } from "./structs.ts";

/** One of the ways of a route that has several. */
export interface NextHop {
  /** The interface that it goes out of. */
  readonly index: number;
  readonly gateway?: Address;
  /** Its share, against the sum of all: at least 1. */
  readonly weight: number;
}

/** `struct rtnexthop` with attributes, again and again. */
const multipath: Codec<readonly NextHop[]> = {
  encode(writer, hops) {
    for (const { index, gateway, weight } of hops) {
      const at = writer.length;
      rtnexthop.encode(writer, { rtnh_hops: weight - 1, rtnh_ifindex: index });
      nextHopAttributes.encode(writer, { gateway });
      writer.patchU16(at, writer.length - at);
    }
  },
  decode(view, start, end) {
    const hops: NextHop[] = [];
    for (let at = start; at < end; ) {
      const { rtnh_len, rtnh_hops, rtnh_ifindex } = rtnexthop.decode(view, at, end);
      if (rtnh_len < rtnexthop.size || at + rtnh_len > end)
        throw new MessageSyntaxError(`a next hop has the bad length ${rtnh_len}`, at);
      const { gateway, via } = nextHopAttributes.decode(view, at + rtnexthop.size, at + rtnh_len);
      const address = gateway ?? via;
      hops.push({ index: rtnh_ifindex, ...(address && { gateway: address }), weight: rtnh_hops + 1 });
      at += (rtnh_len + 3) & ~3;
    }
    return hops;
  },
};

const nextHopAttributes = attributeSet(
  { gateway: { type: RTA_GATEWAY, codec: ipAddress }, via: { type: RTA_VIA, codec: viaAddress } },
  { unknown: "drop" },
);

/** Routes in messages. */
export const routeMessage = bodyOf(
  rtmsg,
  attributeSet(
    {
      destination: { type: RTA_DST, codec: ipAddress },
      table: { type: RTA_TABLE, codec: u32 },
      index: { type: RTA_OIF, codec: u32 },
      gateway: { type: RTA_GATEWAY, codec: ipAddress },
      via: { type: RTA_VIA, codec: viaAddress },
      source: { type: RTA_PREFSRC, codec: ipAddress },
      metric: { type: RTA_PRIORITY, codec: u32 },
      metrics: { type: RTA_METRICS, codec: attributeSet({ mtu: { type: RTAX_MTU, codec: u32 } }, { unknown: "drop" }) },
      nextHops: { type: RTA_MULTIPATH, codec: multipath },
    },
    { unknown: "drop" },
  ),
);
