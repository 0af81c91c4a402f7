import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { parseCniArgs } from "./args.ts";

test("parseCniArgs() keeps what containerd and CRI-O pass, unknown keys included", () => {
  const text =
    "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0;K8S_POD_INFRA_CONTAINER_ID=abc;K8S_POD_UID=1-2;__proto__=x;Empty=;Eq=a=b";
  const args = parseCniArgs(text);
  assert.deepEqual(Object.entries(args), [
    ["IgnoreUnknown", "1"],
    ["K8S_POD_NAMESPACE", "default"],
    ["K8S_POD_NAME", "web-0"],
    ["K8S_POD_INFRA_CONTAINER_ID", "abc"],
    ["K8S_POD_UID", "1-2"],
    ["__proto__", "x"],
    ["Empty", ""],
    ["Eq", "a=b"],
  ]);
  assert.deepEqual(parseCniArgs(""), {});
});

test("parseCniArgs() refuses unknown keys unless IgnoreUnknown says so", () => {
  assert.throws(() => parseCniArgs("FOO=1;BAR=2"), {
    code: 4,
    message: "Invalid CNI_ARGS: unknown keys FOO, BAR, and no IgnoreUnknown=1",
  });
  assert.throws(() => parseCniArgs("FOO=1;IgnoreUnknown=0"), { code: 4, message: /unknown key FOO/ });
  assert.deepEqual(parseCniArgs("FOO=1;IgnoreUnknown=True"), { FOO: "1", IgnoreUnknown: "True" });
  assert.throws(() => parseCniArgs("FOO=1;IgnoreUnknown=maybe"), {
    code: 4,
    message: /IgnoreUnknown=maybe is neither true nor false/,
  });
});

test("parseCniArgs() refuses pairs that are none", () => {
  for (const text of ["a", "=b", ";", "IgnoreUnknown=1;"])
    assert.throws(() => parseCniArgs(text), { code: 4, message: /not of the form KEY=VALUE/ });
});

test("parseCniArgs() reads back any keys and values without separators", () => {
  const word = fc.string({ minLength: 1 }).filter((text) => !/[;=]/.test(text));
  fc.assert(
    fc.property(fc.dictionary(word, word), (args) => {
      const all = { ...args, IgnoreUnknown: "1" };
      const text = Object.entries(all).map(([key, value]) => `${key}=${value}`);
      assert.deepEqual(parseCniArgs(text.join(";")), all);
    }),
  );
});
