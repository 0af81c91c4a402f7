import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { COMMANDS } from "./command.ts";
import { parseNetworkConfig } from "./config.ts";
import { CniError } from "./error.ts";
import { SUPPORTED_VERSIONS } from "./version.ts";

const MINIMAL = { cniVersion: "1.1.0", name: "k8s-pod-network", type: "coil" };
const PREVIOUS = { cniVersion: "1.1.0", interfaces: [{ name: "eth0" }], ips: [{ address: "10.0.0.1/32", interface: 0 }] };

test("parseNetworkConfig() fills in where coild listens and how long a call may take", () => {
  assert.deepEqual(parseNetworkConfig(MINIMAL, "ADD"), { ...MINIMAL, socket: "/run/coild.sock", timeout: 60 });
  assert.deepEqual(parseNetworkConfig({ ...MINIMAL, socket: "/run/other.sock", timeout: 5, extra: 1 }, "ADD"), {
    ...MINIMAL,
    socket: "/run/other.sock",
    timeout: 5,
  });
});

test("parseNetworkConfig() answers 1 for versions that are not supported or lack the command", () => {
  for (const version of ["0.1.0", "0.2.0", "0.3.0", "1.2.0", "2.0.0", "x"]) {
    const error = { code: 1, message: `CNI version "${version}" is not supported` };
    assert.throws(() => parseNetworkConfig({ ...MINIMAL, cniVersion: version }, "ADD"), error);
  }
  assert.throws(() => parseNetworkConfig({ name: "x" }, "ADD"), { code: 1, message: /"0\.1\.0"/ });
  const works = (version: string, command: (typeof COMMANDS)[number]) => {
    try {
      parseNetworkConfig({ ...MINIMAL, cniVersion: version, prevResult: PREVIOUS, "cni.dev/valid-attachments": [] }, command);
      return true;
    } catch (error) {
      assert.equal((error as CniError).code, 1);
      return false;
    }
  };
  const table = SUPPORTED_VERSIONS.map((version) => [version, COMMANDS.filter((command) => works(version, command)).join(" ")]);
  assert.deepEqual(Object.fromEntries(table), {
    "0.3.1": "ADD DEL VERSION",
    "0.4.0": "ADD DEL CHECK VERSION",
    "1.0.0": "ADD DEL CHECK VERSION",
    "1.1.0": "ADD DEL CHECK STATUS GC VERSION",
  });
});

test("parseNetworkConfig() answers 6 for wrong types and 7 for impossible values", () => {
  for (const wrong of [
    null,
    [],
    "x",
    3,
    { ...MINIMAL, name: 1 },
    { ...MINIMAL, cniVersion: 1 },
    { ...MINIMAL, socket: [] },
    { ...MINIMAL, timeout: "5" },
  ]) {
    assert.throws(() => parseNetworkConfig(wrong, "ADD"), { code: 6, message: /^Cannot read .*: want / });
  }
  for (const wrong of [
    { name: "" },
    { name: "../x" },
    { name: "a b" },
    { socket: "coild.sock" },
    { socket: `/${"x".repeat(107)}` },
    { timeout: 0 },
    { timeout: 601 },
  ]) {
    assert.throws(() => parseNetworkConfig({ ...MINIMAL, ...wrong }, "ADD"), { code: 7, message: /^(Invalid|Missing) / });
  }
});

test("parseNetworkConfig() wants a previous result for CHECK, and lets none stop a DEL", () => {
  assert.throws(() => parseNetworkConfig(MINIMAL, "CHECK"), { code: 7, message: /Missing prevResult/ });
  assert.deepEqual(parseNetworkConfig({ ...MINIMAL, prevResult: PREVIOUS }, "CHECK").prevResult, { ...PREVIOUS, routes: [] });
  const broken = { ...MINIMAL, prevResult: { ips: [{ address: 7 }] } };
  assert.throws(() => parseNetworkConfig(broken, "ADD"), { code: 6, message: /prevResult\.ips\[0\]\.address/ });
  assert.equal(parseNetworkConfig(broken, "DEL").prevResult, undefined);
  assert.equal(parseNetworkConfig({ ...MINIMAL, prevResult: null }, "ADD").prevResult, undefined);
});

test("parseNetworkConfig() wants the list of attachments for GC: a missing one would remove all", () => {
  assert.throws(() => parseNetworkConfig(MINIMAL, "GC"), { code: 7, message: /Missing cni\.dev\/valid-attachments/ });
  const gc = (list: unknown) => parseNetworkConfig({ ...MINIMAL, "cni.dev/valid-attachments": list }, "GC").validAttachments;
  assert.deepEqual(gc([]), []);
  assert.deepEqual(gc(null), []);
  assert.deepEqual(gc([{ containerID: "a", ifname: "eth0" }]), [{ containerId: "a", ifname: "eth0" }]);
  assert.throws(() => gc([{ containerID: "a", ifname: "et:h0" }]), {
    code: 7,
    message: /valid-attachments\[0\]: Invalid interface name/,
  });
  assert.throws(() => gc([{ containerID: "a" }]), { code: 6, message: /valid-attachments\[0\]\.ifname/ });
  assert.throws(() => gc({}), { code: 6 });
});

test("parseNetworkConfig() throws nothing but CniError, whatever JSON it gets", () => {
  const field = fc.constantFrom(
    "cniVersion",
    "name",
    "type",
    "socket",
    "timeout",
    "prevResult",
    "cni.dev/valid-attachments",
    "ips",
    "dns",
  );
  const value = fc.oneof(fc.jsonValue(), fc.constantFrom("1.1.0", "net", "/x", [{}], { ips: [{}] }));
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), fc.dictionary(field, value)), fc.constantFrom(...COMMANDS), (config, command) => {
      try {
        parseNetworkConfig(config, command);
      } catch (error) {
        assert.ok(error instanceof CniError, String(error));
      }
    }),
  );
});
