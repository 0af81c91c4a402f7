import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { containerIdProblem, interfaceNameProblem } from "../cni/names.ts";
import { formatIntent, intentDirectory, intentFileName, isIntentFileName, parseIntent } from "./intent.ts";

test("intentDirectory() lies beside the socket", () => {
  assert.equal(intentDirectory("/run/coild.sock"), "/run/coild.pending");
  assert.equal(intentDirectory("/run/coil/coild"), "/run/coil/coild.pending");
});

const containerId = fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,20}$/).filter((id) => containerIdProblem(id) === undefined);
const ifname = fc
  .oneof(fc.stringMatching(/^[a-z0-9_.-]{1,15}$/), fc.string({ minLength: 1, maxLength: 15 }))
  .filter((name) => interfaceNameProblem(name) === undefined);

test("intentFileName() gives every attachment a file of its own, that is no path and is not taken for an unfinished one", () => {
  fc.assert(
    fc.property(containerId, ifname, containerId, ifname, (id1, if1, id2, if2) => {
      const name = intentFileName({ containerId: id1, ifname: if1 });
      assert.ok(isIntentFileName(name) && !name.includes("/") && Buffer.byteLength(name) < 250);
      assert.equal(name === intentFileName({ containerId: id2, ifname: if2 }), id1 === id2 && if1 === if2);
    }),
  );
  const pair = [
    { containerId: "a-b", ifname: "c" },
    { containerId: "a", ifname: "b-c" },
  ] as const;
  assert.notEqual(intentFileName(pair[0]), intentFileName(pair[1]));
  assert.equal(isIntentFileName(".a:eth0.json.12"), false);
});

test("parseIntent() reads back what formatIntent() writes", () => {
  const args = fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true });
  const intent = fc.record(
    { containerId, ifname, netns: fc.constant("/run/netns/x"), args, network: fc.string(), at: fc.string() },
    { requiredKeys: ["containerId", "ifname", "args", "network", "at"] },
  );
  fc.assert(
    fc.property(intent, (value) => assert.deepEqual(parseIntent(formatIntent(value)), JSON.parse(JSON.stringify(value)))),
  );
});

test("parseIntent() refuses what cannot have been written by the plugin", () => {
  for (const text of ["", "{", "[]", "{}", '{"containerId":"a","ifname":"a/b","network":"n","at":"t"}']) {
    assert.throws(() => parseIntent(text), { code: 6 }, text);
  }
});
