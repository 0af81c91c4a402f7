import { join } from "node:path";
import type { AddressBlock } from "../../src/crd/address-block.ts";
import type { AddressPool, AddressPoolSpec } from "../../src/crd/address-pool.ts";
import type { BlockRequest } from "../../src/crd/block-request.ts";
import { LABEL_POOL } from "../../src/crd/names.ts";
import { addressBlocks, addressPools, blockRequests } from "../../src/crd/resources.ts";
import { runIpamController } from "../../src/daemon/ipam-controller/controller.ts";
import { createKubeClient, type KubeClient } from "../../src/kube/client.ts";
import { silentLog } from "../../src/kube/log.ts";
import { nodes } from "../../src/kube/resources.ts";
import { createSilentLogger } from "../../src/observe/logger.ts";
import { type ApiServer, startApiServer } from "./api-server.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";
import { kubectl } from "./kubectl.ts";

export interface ControllerOptions {
  /** Default 32. */
  readonly workers?: number;
  /** Default 300 ms. */
  readonly vanishedNodeGraceMs?: number;
  /** Wraps the client, to inject faults. */
  readonly wrap?: (client: KubeClient) => KubeClient;
}

/** A coil-ipam-controller in this process. Disposing stops it as SIGTERM does. */
export interface RunningController extends AsyncDisposable {
  /** Of `/metrics`. */
  metrics(): Promise<string>;
  readiness(): Promise<number>;
}

/** A real API server with the custom resources, and short words for what tests do with them. */
export interface IpamCluster extends AsyncDisposable {
  readonly api: ApiServer;
  readonly client: KubeClient;
  addNode(name: string): Promise<void>;
  addPool(name: string, spec: AddressPoolSpec): Promise<AddressPool>;
  /** Creates a request; its name when absent is one of its own. */
  request(node: string, pool: string, name?: string): Promise<BlockRequest>;
  /** The request once it has its answer. */
  answered(request: BlockRequest, timeoutMs?: number): Promise<BlockRequest>;
  /** All of them with their answers, in their order. */
  allAnswered(requests: readonly BlockRequest[], timeoutMs?: number): Promise<BlockRequest[]>;
  blocks(pool?: string): Promise<AddressBlock[]>;
  pool(name: string): Promise<AddressPool | undefined>;
  startController(options?: ControllerOptions): Promise<RunningController>;
}

const MANIFESTS = join(import.meta.dirname, "../../manifests");
const ACCOUNT = "system:serviceaccount:kube-system:coil-ipam-controller";

/** Starts the API server. Controllers have the permissions that they have in a cluster, and no more. */
export async function startIpamCluster(): Promise<IpamCluster> {
  const api = await startApiServer();
  const { client } = api;
  // Without the admission policies: what they keep from others must not depend on them.
  await kubectl(api, ["apply", "-f", join(MANIFESTS, "crd"), "-f", join(MANIFESTS, "rbac")]);
  await kubectl(api, ["wait", "--for=condition=Established", "--timeout=30s", "-f", join(MANIFESTS, "crd")]);
  const signal = new AbortController().signal;
  let requests = 0;
  let controllers = 0;
  return {
    api,
    client,
    async addNode(name) {
      await client.create(nodes, { metadata: { name } }, { signal });
    },
    addPool: (name, spec) => client.create(addressPools, { metadata: { name }, spec }, { signal }),
    request(nodeName, poolName, name = `request-${requests++}`) {
      return client.create(blockRequests, { metadata: { name }, spec: { nodeName, poolName } }, { signal });
    },
    answered: ({ metadata: { name } }, timeoutMs = 10_000) =>
      eventually(`answer to ${name}`, timeoutMs, async () => {
        const found = await client.get(blockRequests, { name }, { signal });
        return found?.status?.conditions?.length ? found : undefined;
      }),
    allAnswered: (wanted, timeoutMs = 30_000) =>
      eventually(`${wanted.length} answers`, timeoutMs, async () => {
        const { items } = await client.list(blockRequests, {}, { signal });
        const found = new Map(items.map((item) => [item.metadata.uid, item]));
        const answered = wanted.flatMap(({ metadata: { uid } }) => found.get(uid) ?? []);
        return answered.length === wanted.length && answered.every(({ status }) => status?.conditions?.length) && answered;
      }),
    async blocks(pool) {
      return (await client.list(addressBlocks, pool ? { labelSelector: `${LABEL_POOL}=${pool}` } : {}, { signal })).items;
    },
    pool: (name) => client.get(addressPools, { name }, { signal }),
    startController: (options) => startController(api, `controller-${controllers++}`, options),
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}

async function startController(
  api: ApiServer,
  identity: string,
  { workers = 32, vanishedNodeGraceMs = 300, wrap = (client) => client }: ControllerOptions = {},
): Promise<RunningController> {
  const connect = () => createKubeClient(api.configFor(ACCOUNT), { log: silentLog, userAgent: identity });
  const [client, electionClient] = [connect(), connect()];
  const stopping = new AbortController();
  const [metricsPort, healthPort] = [await freePort(), await freePort()];
  const running = runIpamController(
    { client: wrap(client), electionClient, identity, log: createSilentLogger() },
    {
      "metrics-addr": `127.0.0.1:${metricsPort}`,
      "health-addr": `127.0.0.1:${healthPort}`,
      "gc-interval": 3_600_000,
      "vanished-node-grace": vanishedNodeGraceMs,
      "leader-election-namespace": "kube-system",
      workers,
      ...{ "webhook-addr": "", "cert-dir": "", "enable-cert-rotation": "", "enable-restart-on-cert-refresh": "" },
    },
    stopping.signal,
  );
  running.catch(() => undefined);
  const read = (port: number, path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  await eventually("the controller listens", 10_000, () => read(healthPort, "/healthz").catch(() => undefined));
  return {
    metrics: async () => (await read(metricsPort, "/metrics")).text(),
    readiness: async () => (await read(healthPort, "/readyz")).status,
    async [Symbol.asyncDispose]() {
      stopping.abort(new Error("The test is over"));
      await running;
      client[Symbol.dispose]();
      electionClient[Symbol.dispose]();
    },
  };
}
