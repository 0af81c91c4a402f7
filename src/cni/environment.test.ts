import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { parseEnvironment } from "./environment.ts";
import { CNI_ERROR, CniError } from "./error.ts";

const FULL = {
  CNI_COMMAND: "ADD",
  CNI_CONTAINERID: "0a1b2c",
  CNI_NETNS: "/run/netns/cni-1",
  CNI_IFNAME: "eth0",
  CNI_ARGS: "IgnoreUnknown=1;K8S_POD_NAMESPACE=ns;K8S_POD_NAME=pod;K8S_POD_UID=u-1",
  CNI_PATH: "/opt/cni/bin:/usr/lib/cni",
};

const parse = (env: Record<string, string>) => parseEnvironment((name) => env[name]);

function refused(env: Record<string, string>, message: RegExp): void {
  assert.throws(
    () => parse(env),
    (error) => error instanceof CniError && error.code === CNI_ERROR.invalidEnvironment && message.test(error.message),
  );
}

test("parseEnvironment() reads everything that a runtime says", () => {
  assert.deepEqual(parse(FULL), {
    command: "ADD",
    containerId: "0a1b2c",
    ifname: "eth0",
    netns: "/run/netns/cni-1",
    args: { IgnoreUnknown: "1", K8S_POD_NAMESPACE: "ns", K8S_POD_NAME: "pod", K8S_POD_UID: "u-1" },
    path: "/opt/cni/bin:/usr/lib/cni",
  });
});

test("parseEnvironment() wants for each command what the specification wants, and names all that is missing", () => {
  const needed = {
    ADD: ["CNI_CONTAINERID", "CNI_IFNAME", "CNI_NETNS"],
    CHECK: ["CNI_CONTAINERID", "CNI_IFNAME", "CNI_NETNS"],
    DEL: ["CNI_CONTAINERID", "CNI_IFNAME"],
  };
  for (const [command, names] of Object.entries(needed)) {
    refused({ CNI_COMMAND: command }, new RegExp(`^Missing environment variables ${names.join(", ")}$`));
    for (const name of names) {
      refused({ ...FULL, CNI_COMMAND: command, [name]: "" }, new RegExp(`^Missing environment variable ${name}$`));
    }
  }
  for (const command of ["STATUS", "GC", "VERSION"]) assert.deepEqual(parse({ CNI_COMMAND: command }), { command });
  refused({}, /^Missing environment variable CNI_COMMAND$/);
  refused({ CNI_COMMAND: "add" }, /Unknown CNI_COMMAND "add": want one of ADD, DEL/);
});

test("parseEnvironment() takes a DEL without namespace, and one with arguments that no ADD can have", () => {
  const { CNI_NETNS: _, ...rest } = FULL;
  const request = parse({ ...rest, CNI_COMMAND: "DEL", CNI_ARGS: "nonsense" });
  assert.deepEqual(request, { command: "DEL", containerId: "0a1b2c", ifname: "eth0", args: {}, path: FULL.CNI_PATH });
});

test("parseEnvironment() refuses impossible names", () => {
  for (const id of ["-a", ".a", "a/b", "a b", "ä", "a\n", "a".repeat(129)])
    refused({ ...FULL, CNI_CONTAINERID: id }, /^Invalid container id/);
  for (const name of [".", "..", "a/b", "a:b", "a b", "a\tb", "a\u00a0b", "x".repeat(16), "ä".repeat(8)]) {
    refused({ ...FULL, CNI_IFNAME: name }, /^Invalid interface name/);
  }
  for (const name of ["eth0", "x".repeat(15), "ä".repeat(7), "a-b", "a.1@"]) {
    assert.equal((parse({ ...FULL, CNI_IFNAME: name }) as { ifname: string }).ifname, name);
  }
  refused({ ...FULL, CNI_NETNS: "netns" }, /^Invalid CNI_NETNS "netns": want an absolute path/);
});

test("parseEnvironment() throws nothing but CniError, whatever the environment holds", () => {
  const value = fc.oneof(fc.string(), fc.constantFrom("ADD", "DEL", "CHECK", "/a", "eth0", "a=b;c", "IgnoreUnknown=1;X="));
  fc.assert(
    fc.property(fc.record(Object.fromEntries(Object.keys(FULL).map((name) => [name, value]))), (env) => {
      try {
        parse(env as Record<string, string>);
      } catch (error) {
        assert.ok(error instanceof CniError && error.code === CNI_ERROR.invalidEnvironment);
      }
    }),
  );
});
