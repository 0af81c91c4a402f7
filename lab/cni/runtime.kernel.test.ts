import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createNamespace, deleteNamespace } from "../machine/namespace.ts";
import { PluginError } from "./execute.ts";
import { createCniRuntime } from "./runtime.ts";

/** Answers from a file, and notes what it was asked. */
const PLUGIN = `#!/bin/sh
printf '%s' "{\\"command\\": \\"$CNI_COMMAND\\", \\"env\\": \\"$CNI_CONTAINERID $CNI_NETNS $CNI_IFNAME $CNI_ARGS\\", \\"config\\": $(cat)}," >>"$0.calls"
cat "$0.$CNI_COMMAND" 2>/dev/null
[ ! -e "$0.fails" ]
`;

const signal = new AbortController().signal;
const pod = { namespace: "shop", name: "web-0", uid: "u-1" };
const attachment = { containerId: "c1", netns: "/run/netns/x", pod };
const ARGS = "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-0;K8S_POD_INFRA_CONTAINER_ID=c1;K8S_POD_UID=u-1";

async function createNode(list: object) {
  const directory = mkdtempSync(join(tmpdir(), "coil-lab-cni-"));
  const [bin, etc] = [join(directory, "bin"), join(directory, "net.d")];
  for (const folder of [bin, etc]) mkdirSync(folder);
  writeFileSync(join(etc, "10-test.conflist"), JSON.stringify(list));
  writeFileSync(join(etc, "20-other.conflist"), "not read");
  for (const name of ["first", "second"]) {
    writeFileSync(join(bin, name), PLUGIN);
    chmodSync(join(bin, name), 0o755);
  }
  const node = `coil-test-${process.pid}`;
  await createNamespace(node);
  return {
    cni: createCniRuntime({ node, configDirectory: etc, binaryDirectories: [bin] }),
    answer: (plugin: string, command: string, text: string) => writeFileSync(join(bin, `${plugin}.${command}`), text),
    fail: (plugin: string) => writeFileSync(join(bin, `${plugin}.fails`), ""),
    calls(plugin: string): { command: string; env: string; config: Record<string, unknown> }[] {
      const text = readFileSync(join(bin, `${plugin}.calls`), "utf8");
      return JSON.parse(`[${text.slice(0, -1)}]`);
    },
    async [Symbol.asyncDispose]() {
      rmSync(directory, { recursive: true });
      await deleteNamespace(node);
    },
  };
}

const CHAIN = {
  cniVersion: "1.1.0",
  name: "net",
  plugins: [
    { type: "first", socket: "/s" },
    { type: "second", capabilities: { portMappings: true } },
  ],
};

test("ADD goes through the chain, each plugin with the result of the one before", async () => {
  await using node = await createNode(CHAIN);
  node.answer("first", "ADD", '{"ips": [{"address": "10.1.0.1/32"}]}');
  node.answer("second", "ADD", '{"ips": [{"address": "10.1.0.2/32"}]}');
  const portMappings = [{ hostPort: 80, containerPort: 8080, protocol: "tcp" }];
  assert.deepEqual(await node.cni.add({ ...attachment, portMappings }, { signal }), { ips: [{ address: "10.1.0.2/32" }] });
  assert.deepEqual(node.calls("first"), [
    {
      command: "ADD",
      env: `c1 /run/netns/x eth0 ${ARGS}`,
      config: { type: "first", socket: "/s", name: "net", cniVersion: "1.1.0" },
    },
  ]);
  assert.deepEqual(node.calls("second")[0]?.config, {
    type: "second",
    name: "net",
    cniVersion: "1.1.0",
    prevResult: { ips: [{ address: "10.1.0.1/32" }] },
    runtimeConfig: { portMappings },
  });
});

test("DEL goes through the chain backwards with the result of ADD, and a failure ends it", async () => {
  await using node = await createNode(CHAIN);
  node.answer("second", "DEL", '{"code": 11, "msg": "not now", "details": "busy"}');
  node.fail("second");
  const result = { ips: [{ address: "10.1.0.2/32" }] };
  await assert.rejects(
    node.cni.del({ ...attachment, result }, { signal }),
    (error) =>
      error instanceof PluginError && error.code === 11 && error.message === 'plugin type="second" failed (del): not now; busy',
  );
  assert.deepEqual(node.calls("second")[0]?.config["prevResult"], result);
  assert.throws(() => node.calls("first"), /ENOENT/);
});

test("STATUS tells why there is no network, GC what must stay; neither is asked of networks older than 1.1.0", async () => {
  await using node = await createNode(CHAIN);
  assert.equal(await node.cni.problem({ signal }), undefined);
  node.answer("first", "STATUS", '{"code": 50, "msg": "coild is not ready"}');
  node.fail("first");
  assert.equal(await node.cni.problem({ signal }), 'plugin type="first" failed (status): coild is not ready');
  await assert.rejects(node.cni.collectGarbage([{ containerId: "c1" }], { signal }), PluginError);
  assert.deepEqual(node.calls("first").at(-1)?.config["cni.dev/valid-attachments"], [{ containerID: "c1", ifname: "eth0" }]);

  await using old = await createNode({ ...CHAIN, cniVersion: "1.0.0" });
  old.fail("first");
  assert.equal(await old.cni.problem({ signal }), undefined);
  await old.cni.collectGarbage([], { signal });
  assert.throws(() => old.calls("first"), /ENOENT/);
});

test("a node without a network configuration says so", async () => {
  const cni = createCniRuntime({ node: "none", configDirectory: "/nonexistent", binaryDirectories: [] });
  assert.equal(await cni.problem({ signal }), "No network configuration in /nonexistent");
  await assert.rejects(cni.add(attachment, { signal }), /No network configuration/);
});
