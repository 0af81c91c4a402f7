import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestNamespace } from "../../../test/support/netns.ts";
import { FAMILIES } from "../../ip/family.ts";
import { formatPrefix, parsePrefix } from "../../ip/prefix.ts";
import { addRule, deleteRule } from "./change-rule.ts";
import type { Rule } from "./rule.ts";
import { openRouteSocket } from "./socket.ts";

test("rules are added as `ip` shows them", async () => {
  await using space = await createTestNamespace();
  using socket = openRouteSocket(space.ns);
  await socket.batch([
    addRule({ family: "ipv4", priority: 2000, table: 116 }),
    addRule({
      family: "ipv4",
      priority: 1900,
      table: 1170,
      source: parsePrefix("10.2.0.0/16"),
      destination: parsePrefix("192.0.2.0/24"),
    }),
    addRule({ family: "ipv4", priority: 1000, table: 118, fwmark: 0x10, fwmask: 0xff, iif: "lo", oif: "eth0", protocol: 30 }),
    addRule({ family: "ipv6", priority: 2000, table: 116 }),
    addRule({ family: "ipv6", priority: 1900, table: 1170, source: parsePrefix("fd02::/64"), fwmark: 1 }),
  ]);
  assert.deepStrictEqual((await space.ip("rule show")).split("\n"), [
    "0:	from all lookup local",
    "1000:	from all fwmark 0x10/0xff iif lo oif eth0 [detached] lookup 118 proto 30",
    "1900:	from 10.2.0.0/16 to 192.0.2.0/24 lookup 1170",
    "2000:	from all lookup 116",
    "32766:	from all lookup main",
    "32767:	from all lookup default",
  ]);
  assert.deepStrictEqual((await space.ip("-6 rule show")).split("\n"), [
    "0:	from all lookup local",
    "1900:	from fd02::/64 fwmark 0x1 lookup 1170",
    "2000:	from all lookup 116",
    "32766:	from all lookup main",
  ]);
});

test("a rule that is there is EEXIST, and ENOENT when it is gone", async () => {
  await using space = await createTestNamespace();
  using socket = openRouteSocket(space.ns);
  for (const family of FAMILIES) {
    const rule = { family, priority: 2000, table: 116 };
    const results = await socket.tryBatch([
      addRule(rule),
      addRule(rule),
      // A rule of others with the same priority is neither in the way nor hit by the deletion.
      addRule({ ...rule, table: 1200 }),
      deleteRule(rule),
      deleteRule(rule),
    ]);
    assert.deepStrictEqual(
      results.map((result) => result?.code),
      [undefined, "EEXIST", undefined, undefined, "ENOENT"],
    );
    assert.deepStrictEqual(
      (await socket.rules(family)).filter(({ priority }) => priority === 2000).map(({ table }) => table),
      [1200],
    );
  }
});

test("rules that `ip` added are read as they are", async () => {
  await using space = await createTestNamespace();
  for (const rule of [
    "pref 100 from 10.2.0.0/16 to 192.0.2.1 lookup 116",
    "pref 200 not fwmark 0x10/0xff iif lo lookup 1170 suppress_prefixlength 0",
    "pref 300 oif eth0 blackhole",
    "pref 400 from all goto 500",
    "pref 500 ipproto tcp dport 443 lookup 117",
    "pref 600 tos 0x10 prohibit",
    "pref 700 uidrange 1-2 lookup main",
  ]) {
    await space.ip(`rule add ${rule}`);
  }
  await space.ip("-6 rule add pref 100 from fd02::/64 lookup 116");
  using socket = openRouteSocket(space.ns);
  assert.deepStrictEqual((await socket.rules("ipv4")).map(brief), [
    "0 lookup 255 protocol=2",
    '100 lookup 116 source="10.2.0.0/16" destination="192.0.2.1/32"',
    '200 lookup 1170 fwmark=16 fwmask=255 iif="lo" invert=true suppressPrefixLength=0',
    '300 blackhole 0 oif="eth0"',
    "400 goto 0 goto=500",
    "500 lookup 117 furtherConditions=true",
    "600 prohibit 0 tos=16",
    "700 lookup 254 furtherConditions=true",
    "32766 lookup 254 protocol=2",
    "32767 lookup 253 protocol=2",
  ]);
  assert.deepStrictEqual((await socket.rules("ipv6")).map(brief), [
    "0 lookup 255 protocol=2",
    '100 lookup 116 source="fd02::/64"',
    "32766 lookup 254 protocol=2",
  ]);
});

/** The members that say something; `ip` leaves the protocol at 0. */
function brief({ family: _, priority, action, table, source, destination, protocol, ...rest }: Rule): string {
  const members = Object.entries({
    source: source && formatPrefix(source),
    destination: destination && formatPrefix(destination),
    protocol: protocol || undefined,
    ...rest,
  });
  const said = members.flatMap(([name, value]) =>
    value === undefined || value === false ? [] : [`${name}=${JSON.stringify(value)}`],
  );
  return [priority, action, table, ...said].join(" ");
}
