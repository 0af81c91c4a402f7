import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container } from "kubernetes-types/core/v1.js";
import type { Pod } from "../../src/kube/resources.ts";
import { ContainerConfigError, containerSpec } from "./container-spec.ts";

const facts = { podIps: ["10.1.0.1", "fd00::1"], hostIps: ["172.30.0.3"], apiService: { host: "10.96.0.1", port: 443 } };

function specOf(container: Omit<Container, "name">) {
  const containers = [{ name: "c", ...container }];
  const pod: Pod = {
    metadata: { name: "p", namespace: "n", uid: "u", labels: { app: "web" } },
    spec: { nodeName: "coil-worker", containers },
  };
  return containerSpec(pod, containers[0] as Container, facts);
}

test("a container without command waits", () => {
  assert.deepEqual(specOf({ image: "registry.k8s.io/pause" }).argv, ["sleep", "infinity"]);
});

test("args without command are the command, because there is no image that could have one", () => {
  assert.deepEqual(specOf({ args: ["sleep", "5"] }).argv, ["sleep", "5"]);
});

test("command, args and env know the variables before them", () => {
  const { argv, env } = specOf({
    command: ["echo", "$(B)"],
    args: ["$$(A)", "$(UNKNOWN)", "a$(A)c"],
    env: [
      { name: "A", value: "1" },
      { name: "B", value: "$(A)2" },
    ],
  });
  assert.deepEqual(argv, ["echo", "12", "$(A)", "$(UNKNOWN)", "a1c"]);
  assert.equal(env["B"], "12");
});

test("fields of the pod can be variables", () => {
  const paths = [
    "metadata.name",
    "metadata.labels['app']",
    "metadata.labels['none']",
    "status.podIPs",
    "status.hostIP",
    "spec.nodeName",
  ];
  const { env } = specOf({ env: paths.map((fieldPath, i) => ({ name: `V${i}`, valueFrom: { fieldRef: { fieldPath } } })) });
  assert.deepEqual(
    paths.map((_, i) => env[`V${i}`]),
    ["p", "web", "", "10.1.0.1,fd00::1", "172.30.0.3", "coil-worker"],
  );
});

test("what light nodes do not have is refused by name", () => {
  const secret = { name: "S", valueFrom: { secretKeyRef: { name: "s", key: "k" } } };
  assert.throws(
    () => specOf({ env: [secret] }),
    (error) => error instanceof ContainerConfigError && /S asks for secretKeyRef/.test(error.message),
  );
  assert.throws(() => specOf({ envFrom: [{ configMapRef: { name: "m" } }] }), /do not support envFrom/);
});
