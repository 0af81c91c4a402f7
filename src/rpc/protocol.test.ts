import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { CNI_ERROR, CniError, cniErrorBody } from "../cni/error.ts";
import { httpStatusOf, parseCallFailure, parseCallReply, parseCniCall, parseNetworkCall, parseStatusReply } from "./protocol.ts";

const CONFIG = { cniVersion: "1.0.0", name: "net", type: "coil" };
const CALL = {
  cniVersion: "1.0.0",
  containerId: "c1",
  ifname: "eth0",
  netns: "/run/netns/x",
  args: { K8S_POD_NAME: "p" },
  path: "/bin",
  config: CONFIG,
};

test("parseCniCall() reads a call, and validates it as the plugin does, for those who write one by hand", () => {
  assert.deepEqual(parseCniCall("ADD", CALL), { ...CALL, config: { ...CONFIG, socket: "/run/coild.sock", timeout: 60 } });
  assert.deepEqual(parseCniCall("DEL", { containerId: "c1", ifname: "eth0", config: CONFIG }).args, {});
  for (const [change, code] of [
    [{ containerId: "../x" }, 4],
    [{ ifname: "a/b" }, 4],
    [{ netns: undefined }, 4],
    [{ containerId: undefined }, 6],
    [{ args: { a: 1 } }, 6],
    [{ args: [] }, 6],
    [{ config: undefined }, 6],
    [{ config: { ...CONFIG, cniVersion: "0.2.0" } }, 1],
    [{ config: { ...CONFIG, name: "" } }, 7],
  ] as const) {
    assert.throws(() => parseCniCall("ADD", { ...CALL, ...change }), { name: "CniError", code }, JSON.stringify(change));
  }
});

test("parseNetworkCall() takes what STATUS and GC need", () => {
  const config = { ...CONFIG, cniVersion: "1.1.0", "cni.dev/valid-attachments": [{ containerID: "a", ifname: "eth0" }] };
  assert.deepEqual(parseNetworkCall("GC", { config }).config.validAttachments, [{ containerId: "a", ifname: "eth0" }]);
  assert.equal(parseNetworkCall("STATUS", { config }).cniVersion, "1.1.0");
});

test("an error comes back as it was, over any HTTP status", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2000 }),
      fc.string(),
      fc.option(fc.string(), { nil: undefined }),
      (code, message, details) => {
        const body = JSON.parse(JSON.stringify(cniErrorBody(new CniError(code, message, { details }))));
        const error = parseCallFailure(httpStatusOf(code), body);
        assert.deepEqual([error.code, error.message, error.details], [code, message, details]);
      },
    ),
  );
  for (const body of [
    undefined,
    null,
    [],
    {},
    { code: 0, msg: "x" },
    { code: "11", msg: "x" },
    { code: 1.5, msg: "x" },
    { code: 11 },
  ]) {
    assert.equal(parseCallFailure(502, body).message, "coild answered with HTTP status 502 and no reason");
  }
  assert.deepEqual(cniErrorBody(new RangeError("oops")), { code: 999, msg: "oops" });
});

test("httpStatusOf() never calls a failure a success", () => {
  for (const code of Object.values(CNI_ERROR)) assert.ok(httpStatusOf(code) >= 400);
});

test("answers are read as far as they are known", () => {
  assert.deepEqual(parseCallReply({}), {});
  assert.deepEqual(parseCallReply({ result: { cniVersion: "1.1.0" }, more: 1 }), {
    result: { cniVersion: "1.1.0", interfaces: [], ips: [], routes: [] },
  });
  assert.throws(() => parseCallReply([]), { code: 6 });
  assert.deepEqual(parseStatusReply({ ready: true }), { ready: true });
  assert.deepEqual(parseStatusReply({ ready: false, reason: "no node", limitedConnectivity: true }), {
    ready: false,
    reason: "no node",
    limitedConnectivity: true,
  });
  assert.deepEqual(parseStatusReply({}), { ready: false });
});
