import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ApiServer } from "../../test/support/api-server.ts";

const LIFETIME_S = 3600;

/**
 * A kubeconfig file with a token of a ServiceAccount of kube-system, as pods get it. The server checks it by itself; about the tokens of
 * tests it asks this process for each request, which costs more than the request.
 */
export async function accountKubeconfig({ client, url, caFile }: ApiServer, account: string, folder: string): Promise<string> {
  const path = `/api/v1/namespaces/kube-system/serviceaccounts/${account}/token`;
  const wanted = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: LIFETIME_S } };
  const { status, body } = await client.raw({ method: "POST", path, body: wanted }, { signal: AbortSignal.timeout(10_000) });
  if (status !== 201) throw new Error(`Cannot get a token for ${account}: ${body}`);
  const { token } = (JSON.parse(body) as { status: { token: string } }).status;
  const ca = (await readFile(caFile)).toString("base64");
  const file = join(folder, `${account}.kubeconfig`);
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "bench",
    clusters: [{ name: "bench", cluster: { server: url, "certificate-authority-data": ca } }],
    users: [{ name: "bench", user: { token } }],
    contexts: [{ name: "bench", context: { cluster: "bench", user: "bench" } }],
  };
  await writeFile(file, JSON.stringify(config));
  return file;
}
