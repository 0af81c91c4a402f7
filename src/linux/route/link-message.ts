import { attributeSet, listOf } from "../netlink/attributes.ts";
import { bodyOf } from "../netlink/body.ts";
import { HOST_LITTLE_ENDIAN } from "../netlink/byte-order.ts";
import { type Codec, s32, u8, u32 } from "../netlink/codec.ts";
import { cstring, plainText } from "../netlink/text.ts";
import { AF_INET, AF_INET6 } from "../syscall/constants.ts";
import { linkLayerAddress } from "./codecs.ts";
import {
  IFLA_ADDRESS,
  IFLA_AF_SPEC,
  IFLA_ALT_IFNAME,
  IFLA_EXT_MASK,
  IFLA_GROUP,
  IFLA_IFALIAS,
  IFLA_IFNAME,
  IFLA_INET_CONF,
  IFLA_INET6_ADDR_GEN_MODE,
  IFLA_INFO_DATA,
  IFLA_INFO_KIND,
  IFLA_LINK,
  IFLA_LINK_NETNSID,
  IFLA_LINKINFO,
  IFLA_MASTER,
  IFLA_MTU,
  IFLA_NET_NS_FD,
  IFLA_OPERSTATE,
  IFLA_PROP_LIST,
  VETH_INFO_PEER,
} from "./constants.ts";
import { IPV4_CONF_TYPES, type Ipv4Conf } from "./ipv4-conf.ts";
import { ifinfomsg } from "./structs.ts";

const ADDR_GEN_MODE = { type: IFLA_INET6_ADDR_GEN_MODE, codec: u8 };

const common = {
  mac: { type: IFLA_ADDRESS, codec: linkLayerAddress },
  name: { type: IFLA_IFNAME, codec: cstring },
  mtu: { type: IFLA_MTU, codec: u32 },
  master: { type: IFLA_MASTER, codec: u32 },
  // Without a NUL: the kernel would keep it as a part of the alias.
  alias: { type: IFLA_IFALIAS, codec: plainText },
  group: { type: IFLA_GROUP, codec: u32 },
  altName: { type: IFLA_ALT_IFNAME, codec: cstring },
  altNames: { type: IFLA_PROP_LIST, codec: listOf(IFLA_ALT_IFNAME, cstring) },
} as const;

const peer = bodyOf(ifinfomsg, attributeSet({ ...common, namespaceFd: { type: IFLA_NET_NS_FD, codec: u32 } }));

/** Links in requests. */
export const linkRequest = bodyOf(
  ifinfomsg,
  attributeSet({
    ...common,
    namespaceFd: { type: IFLA_NET_NS_FD, codec: u32 },
    extMask: { type: IFLA_EXT_MASK, codec: u32 },
    info: {
      type: IFLA_LINKINFO,
      codec: attributeSet({
        kind: { type: IFLA_INFO_KIND, codec: cstring },
        data: { type: IFLA_INFO_DATA, codec: attributeSet({ vethPeer: { type: VETH_INFO_PEER, codec: peer } }) },
      }),
    },
    afSpec: {
      type: IFLA_AF_SPEC,
      codec: attributeSet({
        ipv4: { type: AF_INET, codec: attributeSet({ conf: { type: IFLA_INET_CONF, codec: confAttributes() } }) },
        ipv6: { type: AF_INET6, codec: attributeSet({ addrGenMode: ADDR_GEN_MODE }) },
      }),
    },
  }),
);

/** Links as the kernel tells of them, where the IPv4 configuration has another form. */
export const linkReply = bodyOf(
  ifinfomsg,
  attributeSet(
    {
      ...common,
      link: { type: IFLA_LINK, codec: u32 },
      operState: { type: IFLA_OPERSTATE, codec: u8 },
      linkNamespaceId: { type: IFLA_LINK_NETNSID, codec: s32 },
      info: { type: IFLA_LINKINFO, codec: attributeSet({ kind: { type: IFLA_INFO_KIND, codec: cstring } }, { unknown: "drop" }) },
      afSpec: {
        type: IFLA_AF_SPEC,
        codec: attributeSet(
          {
            ipv4: { type: AF_INET, codec: attributeSet({ conf: { type: IFLA_INET_CONF, codec: confArray() } }) },
            ipv6: { type: AF_INET6, codec: attributeSet({ addrGenMode: ADDR_GEN_MODE }, { unknown: "drop" }) },
          },
          { unknown: "drop" },
        ),
      },
    },
    { unknown: "drop" },
  ),
);

/** In requests: one attribute for each setting. */
function confAttributes(): Codec<Partial<Ipv4Conf>> {
  const table = Object.fromEntries(Object.entries(IPV4_CONF_TYPES).map(([name, type]) => [name, { type, codec: u32 }]));
  return attributeSet(table) as Codec<Partial<Ipv4Conf>>;
}

/** From the kernel: an array of all settings, the one with number 1 first. Encodes what it decodes. */
function confArray(): Codec<Partial<Ipv4Conf>> {
  const settings = Object.entries(IPV4_CONF_TYPES) as [keyof Ipv4Conf, number][];
  const words = Math.max(...Object.values(IPV4_CONF_TYPES));
  return {
    encode(writer, conf) {
      const values = new Array<number>(words).fill(0);
      for (const [name, type] of settings) values[type - 1] = conf[name] ?? 0;
      for (const value of values) writer.u32(value);
    },
    decode({ data }, start, end) {
      const conf: { -readonly [Name in keyof Ipv4Conf]?: number } = {};
      for (const [name, type] of settings) {
        const at = start + (type - 1) * 4;
        if (at + 4 <= end) conf[name] = data.getUint32(at, HOST_LITTLE_ENDIAN);
      }
      return conf;
    },
  };
}
