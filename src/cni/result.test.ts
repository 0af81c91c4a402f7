import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { missingFromPrevious } from "./compare-results.ts";
import { formatResult } from "./format-result.ts";
import { type CniResult, parseResult } from "./result.ts";
import { SUPPORTED_VERSIONS } from "./version.ts";

const RESULT: CniResult = {
  cniVersion: "1.1.0",
  interfaces: [
    { name: "eth0", mac: "02:00:00:00:00:01", mtu: 1400, sandbox: "/run/netns/a" },
    { name: "veth1", mac: "02:00:00:00:00:02", mtu: 1400, pciID: "0000:00:1f.6", socketPath: "/run/s" },
  ],
  ips: [
    { address: "10.0.0.1/32", interface: 0 },
    { address: "fd00::1/128", gateway: "fe80::1", interface: 0 },
  ],
  routes: [{ dst: "0.0.0.0/0", gw: "169.254.1.1", mtu: 1400 }, { dst: "::/0" }],
};

const NAMES = [
  { name: "eth0", mac: "02:00:00:00:00:01", sandbox: "/run/netns/a" },
  { name: "veth1", mac: "02:00:00:00:00:02" },
];
const OLD_ROUTES = [{ dst: "0.0.0.0/0", gw: "169.254.1.1" }, { dst: "::/0" }];
const OLD_IPS = [
  { version: "4", address: "10.0.0.1/32", interface: 0 },
  { version: "6", address: "fd00::1/128", gateway: "fe80::1", interface: 0 },
];

test("formatResult() answers in the shape of each version", () => {
  assert.deepEqual(formatResult(RESULT, "0.3.1"), {
    cniVersion: "0.3.1",
    interfaces: NAMES,
    ips: OLD_IPS,
    routes: OLD_ROUTES,
    dns: {},
  });
  assert.deepEqual(formatResult(RESULT, "0.4.0"), {
    cniVersion: "0.4.0",
    interfaces: NAMES,
    ips: OLD_IPS,
    routes: OLD_ROUTES,
    dns: {},
  });
  assert.deepEqual(formatResult(RESULT, "1.0.0"), {
    cniVersion: "1.0.0",
    interfaces: NAMES,
    ips: RESULT.ips,
    routes: OLD_ROUTES,
    dns: {},
  });
  assert.deepEqual(formatResult(RESULT, "1.1.0"), { ...RESULT, dns: {} });
});

test("parseResult() names the place of what it cannot read", () => {
  const message = (value: unknown) => {
    try {
      return `read ${JSON.stringify(parseResult(value, "prevResult"))}`;
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.equal(message(7), "Cannot read prevResult: want an object, found 7");
  assert.equal(message({ interfaces: [{ mac: "x" }] }), "Cannot read prevResult.interfaces[0].name: want text, found nothing");
  assert.equal(
    message({ ips: [{ address: "10.0.0.1/32", interface: -1 }] }),
    "Cannot read prevResult.ips[0].interface: want a whole number, found -1",
  );
  assert.equal(
    message({ ips: [{ address: "10.0.0.1/32", interface: 0 }] }),
    "Cannot read prevResult: 10.0.0.1/32 is on interface 0, which is not in the list",
  );
  assert.equal(message({ routes: {} }), "Cannot read prevResult.routes: want a list, found {}");
});

const text = fc.string({ minLength: 1, maxLength: 8 });
const count = fc.nat({ max: 100_000 });
const result = fc
  .record({
    cniVersion: fc.constant("1.1.0"),
    interfaces: fc.array(fc.record({ name: text, mac: text, mtu: count, sandbox: text }, { requiredKeys: ["name"] }), {
      minLength: 1,
      maxLength: 4,
    }),
    ips: fc.array(
      fc.record(
        { address: fc.constantFrom("10.1.2.3/32", "fd00::1/128"), gateway: text, interface: fc.constant(0) },
        { requiredKeys: ["address"] },
      ),
    ),
    routes: fc.array(
      fc.record(
        { dst: text, gw: text, mtu: count, advmss: count, priority: count, table: count, scope: count },
        { requiredKeys: ["dst"] },
      ),
    ),
    dns: fc.record(
      { nameservers: fc.array(text), domain: text, search: fc.array(text), options: fc.array(text) },
      { requiredKeys: [] },
    ),
  })
  .map((value) => JSON.parse(JSON.stringify(value)) as CniResult);

test("parseResult() reads back what formatResult() writes, and older versions lose only what they cannot say", () => {
  fc.assert(
    fc.property(result, fc.constantFrom(...SUPPORTED_VERSIONS), (value, version) => {
      const document = JSON.parse(JSON.stringify(formatResult(value, version)));
      assert.equal(document.cniVersion, version);
      const back = parseResult(document, "result");
      if (version === "1.1.0") assert.deepEqual(back, value);
      assert.deepEqual(back.ips, value.ips);
      assert.deepEqual(back.dns, value.dns);
      assert.deepEqual(formatResult(back, version), document);
    }),
  );
});

test("missingFromPrevious() accepts what plugins behind this one may do", () => {
  const chained: CniResult = {
    ...RESULT,
    interfaces: [{ name: "ifb1" }, { name: "eth0", mac: "02:ff:ff:ff:ff:ff", sandbox: "/run/netns/renamed" }, { name: "veth1" }],
    ips: [
      { address: "10.0.0.1/32", interface: 1 },
      { address: "fd00:0::1/128", interface: 1 },
      { address: "192.0.2.1/24", interface: 1 },
    ],
    routes: [],
  };
  assert.deepEqual(missingFromPrevious(chained, RESULT), []);
  // The index of the interface is optional.
  assert.deepEqual(
    missingFromPrevious({ ...chained, ips: [{ address: "10.0.0.1/32" }, { address: "fd00::1/128", interface: 1 }] }, RESULT),
    [],
  );
});

test("missingFromPrevious() says what is gone or elsewhere", () => {
  const elsewhere: CniResult = {
    cniVersion: "1.1.0",
    interfaces: [{ name: "eth0" }, { name: "veth1" }],
    ips: [
      { address: "10.0.0.1/32", interface: 1 },
      { address: "fd00::1/64", interface: 0 },
    ],
  };
  assert.deepEqual(missingFromPrevious(elsewhere, RESULT), [
    "prevResult has no interface eth0 in the pod",
    "prevResult does not have 10.0.0.1/32 on eth0",
    "prevResult does not have fd00::1/128 on eth0",
  ]);
  assert.deepEqual(missingFromPrevious({ cniVersion: "1.1.0" }, RESULT).length, 4);
});
