import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ensureControlPlane } from "../../lab/control-plane/build.ts";
import { createKubeClient, type KubeClient } from "../../src/kube/client.ts";
import type { KubeConfig } from "../../src/kube/config.ts";
import { silentLog } from "../../src/kube/log.ts";
import { namespaces } from "../../src/kube/resources.ts";
import { type ServerProcess, startServerProcess } from "./server-process.ts";
import { createTemporaryDirectory } from "./temporary-directory.ts";
import { startTokenWebhook } from "./token-webhook.ts";

/** A real kube-apiserver with its own etcd on loopback. There are no controllers: nothing else changes objects. */
export interface ApiServer extends AsyncDisposable {
  readonly url: string;
  /** For a user that may do everything; so are `client`, `token` and `kubeconfig`. */
  readonly config: KubeConfig;
  readonly client: KubeClient;
  readonly token: string;
  /** Path of a kubeconfig file. */
  readonly kubeconfig: string;
  /** Path of the server's CA certificate. */
  readonly caFile: string;
  /** Own directory of the server, removed at the end. */
  readonly directory: string;
  /**
   * A token for any user, for example `system:serviceaccount:kube-system:coild`, whose groups are then added. RBAC applies to it. The
   * server asks this process whom a token stands for: it must not be blocked by a synchronous child process.
   */
  tokenFor(user: string, groups?: readonly string[]): string;
  /** The token is refused with 401 from now on. Restarts the server, which remembers good tokens for ten seconds. */
  revokeToken(token: string): Promise<void>;
  configFor(user: string, groups?: readonly string[]): KubeConfig;
  clientFor(user: string, groups?: readonly string[]): KubeClient;
  /** Writes a kubeconfig file for the user and gives its path. */
  kubeconfigFor(user: string, groups?: readonly string[]): Promise<string>;
  /** Stops the server at once, leaving connections to break. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data, and waits until it is ready. */
  start(): Promise<void>;
  /** Stops it as an upgrade does, ending requests in good order, and starts it. */
  restart(): Promise<void>;
  /** The process stands still; its connections stay. */
  freeze(): void;
  thaw(): void;
  /** Makes etcd forget all versions before now. Watches and lists that need one fail with 410 once the server's own memory, too, is gone. */
  compact(): Promise<void>;
}

export interface ApiServerOptions {
  readonly log?: (line: string) => void;
  /** More command line of kube-apiserver. */
  readonly flags?: readonly string[];
}

const READY_MS = 60_000;
const PORT_ATTEMPTS = 3;
// The server waits up to a minute for watches over HTTP/1.1 to end by themselves.
const RESTART_GRACE_MS = 2000;

/** Starts it and waits until it is ready, some seconds. Uses `KUBEBUILDER_ASSETS` if set, else the project's control plane. */
export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnFreePort(options);
    } catch (error) {
      // Between finding a free port and listening on it, another process may have taken it.
      if (attempt >= PORT_ATTEMPTS || !String(error).includes("address already in use")) throw error;
    }
  }
}

async function startOnFreePort({ log = () => {}, flags = [] }: ApiServerOptions): Promise<ApiServer> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await createTemporaryDirectory("coil-api-")).path;
  const webhook = stack.use(await startTokenWebhook());
  const { etcd, kubeApiserver } = await programs(log);
  const token = randomBytes(16).toString("hex");
  const port = await freePort();
  const url = `https://127.0.0.1:${port}`;
  await writeFiles(directory, { token, webhook: webhook.url });
  stack.use(
    await startServerProcess({ command: [...etcd, ...ETCD_FLAGS], cwd: directory, logFile: join(directory, "etcd.log") }),
  );
  const command = [...kubeApiserver, ...apiServerFlags(directory, port), ...flags];
  const launch = () => startServerProcess({ command, cwd: directory, logFile: join(directory, "kube-apiserver.log") });
  let server = await launch();
  stack.defer(() => server[Symbol.asyncDispose]());

  const caFile = join(directory, "certs", "apiserver.crt");
  const configWith = (secret: string): KubeConfig => ({
    server: url,
    tls: { caFile },
    credentials: { kind: "token", token: secret },
  });
  const clientWith = (config: KubeConfig) => stack.use(createKubeClient(config, { log: silentLog, userAgent: "coil-test/0" }));
  const client = clientWith(configWith(token));
  await ready(client, server);
  const kubeconfig = join(directory, "admin.kubeconfig");
  await writeFile(kubeconfig, kubeconfigText(url, await readFile(caFile), token));

  const tokenFor = (user: string, groups: readonly string[] = []) =>
    webhook.issue({ user, groups: [...groups, ...impliedGroups(user)] });
  const start = async () => {
    server = await launch();
    await ready(client, server);
  };
  const owned = stack.move();
  return {
    url,
    config: configWith(token),
    client,
    token,
    kubeconfig,
    caFile,
    directory,
    tokenFor,
    async revokeToken(secret) {
      webhook.revoke(secret);
      await server.stop("SIGKILL");
      await start();
    },
    configFor: (user, groups) => configWith(tokenFor(user, groups)),
    clientFor: (user, groups) =>
      owned.use(createKubeClient(configWith(tokenFor(user, groups)), { log: silentLog, userAgent: "coil-test/0" })),
    async kubeconfigFor(user, groups) {
      const path = join(directory, `${randomBytes(4).toString("hex")}.kubeconfig`);
      await writeFile(path, kubeconfigText(url, await readFile(caFile), tokenFor(user, groups)));
      return path;
    },
    kill: () => server.stop("SIGKILL"),
    start,
    async restart() {
      await server.stop("SIGTERM", RESTART_GRACE_MS);
      await start();
    },
    freeze: () => server.signal("SIGSTOP"),
    thaw: () => server.signal("SIGCONT"),
    compact: () => compact(join(directory, ETCD_SOCKET)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function programs(log: (line: string) => void): Promise<{ etcd: string[]; kubeApiserver: string[] }> {
  const assets = process.env["KUBEBUILDER_ASSETS"];
  if (assets) return { etcd: [join(assets, "etcd")], kubeApiserver: [join(assets, "kube-apiserver")] };
  const binary = await ensureControlPlane({ log, env: process.env });
  return { etcd: [binary, "etcd"], kubeApiserver: [binary, "kube-apiserver"] };
}

// etcd wants host:port also for a UNIX socket, and makes that the file's name in its working directory.
const ETCD_SOCKET = "client:1";
const ETCD_FLAGS = [
  "--name=etcd",
  "--data-dir=etcd",
  "--unsafe-no-fsync",
  "--log-level=warn",
  "--heartbeat-interval=50",
  "--election-timeout=500",
  `--listen-client-urls=unix://${ETCD_SOCKET}`,
  `--advertise-client-urls=unix://${ETCD_SOCKET}`,
  "--listen-peer-urls=unix://peer:1",
  "--initial-advertise-peer-urls=unix://peer:1",
  "--initial-cluster=etcd=unix://peer:1",
];

function apiServerFlags(directory: string, port: number): string[] {
  return [
    `--etcd-servers=unix://${join(directory, ETCD_SOCKET)}`,
    "--bind-address=127.0.0.1",
    `--secure-port=${port}`,
    "--cert-dir=certs",
    "--authorization-mode=RBAC",
    "--token-auth-file=tokens.csv",
    "--authentication-token-webhook-config-file=webhook.kubeconfig",
    "--authentication-token-webhook-cache-ttl=0",
    "--authentication-token-webhook-version=v1",
    "--service-account-issuer=https://kubernetes.default.svc",
    "--service-account-key-file=sa.key",
    "--service-account-signing-key-file=sa.key",
    "--service-cluster-ip-range=10.96.0.0/16,fd00:96::/112",
    // Nobody creates the ServiceAccounts that this one demands of pods.
    "--disable-admission-plugins=ServiceAccount",
  ];
}

async function writeFiles(directory: string, { token, webhook }: { token: string; webhook: string }): Promise<void> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  await writeFile(join(directory, "sa.key"), privateKey.export({ type: "sec1", format: "pem" }));
  await writeFile(join(directory, "tokens.csv"), `${token},admin,admin,"system:masters"\n`);
  await writeFile(join(directory, "webhook.kubeconfig"), kubeconfigText(webhook));
}

function kubeconfigText(server: string, ca?: Buffer, token?: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    clusters: [{ name: "test", cluster: { server, ...(ca && { "certificate-authority-data": ca.toString("base64") }) } }],
    users: [{ name: "test", user: token ? { token } : {} }],
    contexts: [{ name: "test", context: { cluster: "test", user: "test", namespace: "default" } }],
  });
}

function impliedGroups(user: string): string[] {
  const account = /^system:serviceaccount:([^:]+):[^:]+$/.exec(user);
  return [...(account ? ["system:serviceaccounts", `system:serviceaccounts:${account[1]}`] : []), "system:authenticated"];
}

async function ready(client: KubeClient, server: ServerProcess): Promise<void> {
  const signal = AbortSignal.timeout(READY_MS);
  for (let last = ""; ; await sleep(50)) {
    if (server.exit !== undefined) throw new Error(`kube-apiserver ended with ${server.exit}:\n${await server.tail()}`);
    if (signal.aborted) throw new Error(`kube-apiserver is not ready after ${READY_MS} ms: ${last}\n${await server.tail()}`);
    try {
      const { status, body } = await client.raw({ method: "GET", path: "/readyz" }, { signal, timeoutMs: 2000 });
      last = body;
      // The namespaces come from a start hook that readiness does not wait for.
      if (status === 200 && (await client.get(namespaces, { name: "default" }, { signal, timeoutMs: 2000 }))) return;
    } catch (error) {
      last = String(error);
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("Cannot find a free port");
  return address.port;
}

/** Through etcd's HTTP gateway. */
async function compact(socketPath: string): Promise<void> {
  const post = async (path: string, body: object): Promise<{ header: { revision: string } }> => {
    const text = await new Promise<string>((resolve, reject) => {
      const sent = request({ socketPath, path, method: "POST", host: "etcd" }, (response) => {
        let answer = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          answer += part;
        });
        response.on("end", () => (response.statusCode === 200 ? resolve(answer) : reject(new Error(`etcd ${path}: ${answer}`))));
      });
      sent.on("error", reject).end(JSON.stringify(body));
    });
    return JSON.parse(text) as { header: { revision: string } };
  };
  const { header } = await post("/v3/kv/range", { key: Buffer.from("none").toString("base64") });
  await post("/v3/kv/compaction", { revision: header.revision, physical: true });
}
