import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createTemporaryDirectory } from "../../test/support/temporary-directory.ts";
import { loadKubeConfig } from "./config.ts";

function kubeconfig(fields: { cluster?: object; user?: object; context?: string; more?: object }): string {
  return JSON.stringify({
    "current-context": fields.context ?? "here",
    clusters: [{ name: "c", cluster: { server: "https://api.example:6443/", ...fields.cluster } }],
    users: [{ name: "u", user: fields.user ?? {} }],
    contexts: [{ name: "here", context: { cluster: "c", user: "u", namespace: "n" } }],
    ...fields.more,
  });
}

test("loadKubeConfig() prefers the path, then KUBECONFIG, then the pod's service account, then the home directory", async () => {
  await using directory = await createTemporaryDirectory("coil-config-");
  const at = (path: string) => join(directory.path, path);
  await mkdir(at(".kube"));
  await mkdir(at("sa"));
  const write = (path: string, server: string) => writeFile(at(path), kubeconfig({ cluster: { server } }));
  await Promise.all([write("a", "https://a"), write("b", "https://b"), write(".kube/config", "https://home")]);
  await writeFile(at("sa/namespace"), "kube-system\n");
  const base = { HOME: directory.path };
  const pod = { ...base, KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "443" };
  const load = async (env: Record<string, string>, kubeconfigPath?: string) => {
    const config = await loadKubeConfig({ env, serviceAccountDirectory: at("sa"), ...(kubeconfigPath && { kubeconfigPath }) });
    return config.server;
  };
  assert.deepEqual(
    [
      await load({ ...pod, KUBECONFIG: at("b") }, at("a")),
      await load({ ...pod, KUBECONFIG: `${at("missing")}:${at("b")}` }),
      await load(pod),
      await load(base),
    ],
    ["https://a", "https://b", "https://[fd00::1]:443", "https://home"],
  );
  assert.deepEqual(await loadKubeConfig({ env: pod, serviceAccountDirectory: at("sa") }), {
    server: "https://[fd00::1]:443",
    namespace: "kube-system",
    tls: { caFile: at("sa/ca.crt") },
    credentials: { kind: "token-file", path: at("sa/token") },
  });
});

test("a kubeconfig's files are relative to it, data wins over files, and several files are merged", async () => {
  await using directory = await createTemporaryDirectory("coil-config-");
  const at = (path: string) => join(directory.path, path);
  const data = (text: string) => Buffer.from(text).toString("base64");
  await writeFile(at("key.pem"), "KEY");
  await writeFile(
    at("one"),
    kubeconfig({
      cluster: { "certificate-authority": "ca.pem", "tls-server-name": "kubernetes" },
      user: {
        "client-certificate-data": data("CERT"),
        "client-key": "key.pem",
        token: "t",
        tokenFile: "token",
        as: "jane",
        "as-groups": ["g"],
      },
      more: { contexts: null },
    }),
  );
  await writeFile(at("two"), "contexts:\n- name: here\n  context: {cluster: c, user: u}\n");
  assert.deepEqual(await loadKubeConfig({ env: { KUBECONFIG: `${at("one")}:${at("two")}` } }), {
    server: "https://api.example:6443",
    tls: { caFile: at("ca.pem"), cert: "CERT", key: "KEY", serverName: "kubernetes" },
    credentials: { kind: "token-file", path: at("token") },
    impersonate: { user: "jane", groups: ["g"] },
  });
});

test("what a kubeconfig lacks or we do not support is said in words, with the file's name", async () => {
  await using directory = await createTemporaryDirectory("coil-config-");
  const path = join(directory.path, "config");
  const message = async (text: string | undefined) => {
    if (text !== undefined) await writeFile(path, text);
    const error = await loadKubeConfig({ env: {}, kubeconfigPath: path }).then(
      () => new Error("none"),
      (error: unknown) => error as Error,
    );
    return error.message.replaceAll(path, "FILE");
  };
  assert.deepEqual(
    [
      await message(undefined),
      await message(": : :"),
      await message(""),
      await message(kubeconfig({ context: "there" })),
      await message(kubeconfig({ more: { "current-context": "" } })),
      await message(kubeconfig({ user: { exec: { command: "aws" } } })),
      await message(kubeconfig({ cluster: { "proxy-url": "http://proxy" } })),
    ],
    [
      "Cannot read the kubeconfig FILE",
      "The kubeconfig FILE is not YAML",
      "The kubeconfig FILE is empty",
      'No entry "there" among the contexts of the kubeconfig FILE',
      "No current-context in the kubeconfig FILE",
      'The user in the kubeconfig FILE authenticates by "exec", which is not supported: use a token or a certificate',
      "proxy-url in the kubeconfig FILE is not supported",
    ],
  );
});
