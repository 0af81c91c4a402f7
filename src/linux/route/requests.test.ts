import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Address, addressOf } from "../../ip/address.ts";
import { FAMILIES, type Family, familyBits } from "../../ip/family.ts";
import { type Prefix, prefixOf } from "../../ip/prefix.ts";
import { encode } from "../netlink/body.ts";
import { type ByteView, viewOf } from "../netlink/byte-view.ts";
import type { NetlinkMessage } from "../netlink/message.ts";
import { MessageSyntaxError } from "../netlink/message-syntax-error.ts";
import { decodeLinkAddress } from "./address.ts";
import { addAddress } from "./change-address.ts";
import { addNeighbour } from "./change-neighbour.ts";
import { addRoute } from "./change-route.ts";
import { addRule } from "./change-rule.ts";
import { deleteLink, deleteLinkGroup } from "./delete-link.ts";
import { decodeEvent } from "./event.ts";
import { decodeLink } from "./link.ts";
import { linkReply } from "./link-message.ts";
import { NEIGHBOUR_STATES, type NeighbourState, ROUTE_TYPES, type RouteType } from "./names.ts";
import { decodeNeighbour } from "./neighbour.ts";
import { newVeth } from "./new-link.ts";
import type { RouteRequest } from "./request.ts";
import { decodeRoute } from "./route.ts";
import { type NextHop, routeMessage } from "./route-message.ts";
import { decodeRule } from "./rule.ts";
import { setLink } from "./set-link.ts";

/** Requests have the form of the kernel's own messages, so that what is asked for can be read back without a kernel. */

const address = (family: Family): fc.Arbitrary<Address> =>
  fc.bigInt({ min: 1n, max: 2n ** BigInt(familyBits(family)) - 1n }).map((value) => addressOf(family, value));
const prefix = (family: Family): fc.Arbitrary<Prefix> =>
  fc.tuple(address(family), fc.nat(familyBits(family))).map(([base, length]) => prefixOf(base, length));
const family = fc.constantFrom<Family>(...FAMILIES);
const uint32 = fc.bigInt({ min: 1n, max: 0xffffffffn }).map(Number);
const index = fc.integer({ min: 1, max: 0x7fffffff });
const mac = fc
  .uint8Array({ minLength: 6, maxLength: 6 })
  .map((octets) => [...octets].map((o) => o.toString(16).padStart(2, "0")).join(":"));
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const view = (data: Uint8Array): ByteView => viewOf(data);
const messageOf = (type: number, data: Uint8Array): NetlinkMessage => ({
  type,
  flags: 0,
  sequence: 1,
  view: view(data),
  start: 0,
  end: data.length,
});
const read = <T>({ type, payload }: RouteRequest, decode: (message: NetlinkMessage) => T): T => decode(messageOf(type, payload));
/** Without the members that are undefined. */
const present = (value: object): object => Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined));

test("`addRoute()` says what `decodeRoute()` reads", () => {
  const routes = family.chain((f) =>
    fc.record({
      family: fc.constant(f),
      destination: prefix(f),
      table: uint32,
      protocol: fc.nat(255),
      scope: fc.constantFrom("universe" as const, "link" as const, "host" as const),
      type: fc.constantFrom(...(Object.keys(ROUTE_TYPES) as RouteType[])),
      index: optional(index),
      // Of any family: IPv4 routes may go through IPv6 gateways.
      gateway: optional(family.chain(address)),
      onLink: fc.boolean(),
      source: optional(address(f)),
      metric: uint32,
      mtu: optional(fc.integer({ min: 68, max: 65536 })),
    }),
  );
  fc.assert(
    fc.property(routes, (route) => {
      const expected = { ...present(route), onLink: route.onLink };
      assert.deepStrictEqual(read(addRoute(route), decodeRoute), expected);
    }),
  );
});

test("`addRule()` says what `decodeRule()` reads", () => {
  const rules = family.chain((f) =>
    fc.record({
      family: fc.constant(f),
      priority: uint32,
      table: uint32,
      source: optional(prefix(f)),
      destination: optional(prefix(f)),
      mark: optional(fc.record({ fwmark: uint32, fwmask: uint32 })),
      iif: optional(fc.stringMatching(/^[a-z0-9.]{1,15}$/)),
      oif: optional(fc.stringMatching(/^[a-z0-9.]{1,15}$/)),
      protocol: fc.nat(255),
    }),
  );
  fc.assert(
    fc.property(rules, ({ mark, ...rest }) => {
      const rule = { ...rest, ...mark };
      const expected = { ...present(rule), action: "lookup", invert: false, l3mdev: false, furtherConditions: false };
      assert.deepStrictEqual(read(addRule(rule), decodeRule), expected);
    }),
  );
});

test("`addAddress()` says what `decodeLinkAddress()` reads", () => {
  const addresses = family.chain((f) =>
    fc.record({
      index,
      address: address(f),
      length: fc.nat(familyBits(f)),
      scope: fc.constantFrom("global" as const, "link" as const, "host" as const),
      noDad: fc.boolean(),
      noPrefixRoute: fc.boolean(),
    }),
  );
  fc.assert(
    fc.property(addresses, (value) => {
      const rest = { tentative: false, dadFailed: false, deprecated: false, permanent: false };
      assert.deepStrictEqual(read(addAddress(value), decodeLinkAddress), { ...value, ...rest });
    }),
  );
});

test("`addNeighbour()` says what `decodeNeighbour()` reads", () => {
  const neighbours = fc.record({
    index,
    address: family.chain(address),
    mac,
    state: fc.constantFrom(...(Object.keys(NEIGHBOUR_STATES) as NeighbourState[])),
  });
  fc.assert(
    fc.property(neighbours, (value) => {
      assert.deepStrictEqual(read(addNeighbour(value), decodeNeighbour), { ...value, proxy: false });
    }),
  );
});

test("routes with several ways come back as they were encoded", () => {
  const hops = fc.array(
    fc.record({ index, gateway: family.chain(address), weight: fc.integer({ min: 1, max: 256 }) }, { noNullPrototype: true }),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(
      family.chain((f) => hops.map((list) => ({ f, list: list.filter(({ gateway }) => gateway.family === f) }))),
      ({ f, list }) => {
        const nextHops: NextHop[] = list;
        const payload = encode(routeMessage, { header: { rtm_family: f === "ipv4" ? 2 : 10 }, attributes: { nextHops } });
        assert.deepStrictEqual(decodeRoute(messageOf(24, payload))?.nextHops, nextHops);
      },
    ),
  );
});

test("any payload of any notification is read or throws MessageSyntaxError", () => {
  const types = [16, 17, 20, 21, 24, 25, 28, 29, 32, 33];
  // Families that get past the first look, more often than by chance.
  const payload = fc
    .tuple(fc.constantFrom(0, 2, 10, 7), fc.uint8Array({ maxLength: 120 }))
    .map(([first, rest]) => Uint8Array.from([first, ...rest]));
  fc.assert(
    fc.property(fc.constantFrom(...types), payload, (type, data) => {
      try {
        decodeEvent(messageOf(type, data));
      } catch (error) {
        if (!(error instanceof MessageSyntaxError)) throw error;
      }
    }),
    { numRuns: 1000 },
  );
});

test("`decodeLink()` reads a link as the kernel tells of it", () => {
  const payload = encode(linkReply, {
    header: { ifi_family: 0, ifi_index: 7, ifi_flags: 0x1 | 0x40 },
    attributes: {
      name: "veth0",
      altNames: ["a", "b"],
      alias: "COIL:default:x:eth0",
      mac: "02:00:00:00:00:01",
      mtu: 1500,
      group: 3,
      link: 2,
      operState: 6,
      linkNamespaceId: 0,
      master: 9,
      info: { kind: "veth" },
      afSpec: { ipv4: { conf: { rpFilter: 2 } }, ipv6: { addrGenMode: 1 } },
    },
  });
  const link = decodeLink(messageOf(16, payload));
  assert.deepStrictEqual(
    { ...link, ipv4Conf: link?.ipv4Conf?.rpFilter },
    {
      index: 7,
      name: "veth0",
      altNames: ["a", "b"],
      kind: "veth",
      alias: "COIL:default:x:eth0",
      mac: "02:00:00:00:00:01",
      mtu: 1500,
      up: true,
      running: true,
      operState: "up",
      loopback: false,
      group: 3,
      peerIndex: 2,
      peerNamespaceId: 0,
      master: 9,
      addrGenMode: "none",
      ipv4Conf: 2,
    },
  );
});

test("`setLink()` makes one request, and two when the link is to come up with other settings", () => {
  assert.equal(setLink({ index: 7, alias: "x", addrGenMode: "none" }).length, 1);
  assert.equal(setLink({ index: 7, up: true }).length, 1);
  assert.equal(setLink({ index: 7, up: true, addrGenMode: "none" }).length, 2);
  assert.deepStrictEqual(setLink({ index: 7 }), []);
});

test("requests that would hit other links than meant are refused", () => {
  assert.throws(() => setLink({ index: 0, up: true }), RangeError);
  assert.throws(() => deleteLink({ index: 0 }), RangeError);
  assert.throws(() => deleteLink({ index: Number.NaN }), RangeError);
  assert.throws(() => deleteLinkGroup({ group: 0 }), RangeError);
  assert.throws(() => setLink({ name: "a", rename: "b" }), RangeError);
  assert.throws(() => newVeth({ name: "a", mac: "nonsense", peer: { name: "b" } }), SyntaxError);
});

test("requests say what they do", () => {
  const to = prefixOf(addressOf("ipv4", 0x0a020000n), 16);
  assert.deepStrictEqual(
    [
      newVeth({ name: "veth1", peer: { name: "eth0" } }),
      deleteLink({ name: "veth1" }),
      addRoute({ family: "ipv4", destination: to, table: 116, protocol: 30, index: 7, gateway: addressOf("ipv4", 1n) }),
      addRoute({ family: "ipv6", table: 254, protocol: 30 }),
      addRule({ family: "ipv4", priority: 2000, table: 116, source: to }),
      addAddress({ index: 7, address: addressOf("ipv6", 1n), length: 128 }),
      addNeighbour({ index: 7, address: addressOf("ipv6", 1n), mac: "02:00:00:00:00:01", state: "permanent" }),
    ].map(({ describe }) => describe),
    [
      "create the veth pair veth1 and eth0",
      'delete link "veth1"',
      "add route 10.2.0.0/16 via 0.0.0.1 through link 7 in table 116",
      "add route default (ipv6) in table 254",
      "add ipv4 rule 2000 from 10.2.0.0/16 for table 116",
      "add address ::1/128 of link 7",
      "add neighbour ::1 of link 7",
    ],
  );
});
