import { spawn } from "node:child_process";
import { request } from "node:http";
import { join } from "node:path";
import { runCoild } from "../../src/daemon/coild/coild.ts";
import { COILD_FLAGS, type CoildFlags } from "../../src/daemon/coild/flags.ts";
import { createKubeClient, type KubeClient } from "../../src/kube/client.ts";
import { silentLog } from "../../src/kube/log.ts";
import { namespaces, nodes, pods } from "../../src/kube/resources.ts";
import { createLogger, createSilentLogger } from "../../src/observe/logger.ts";
import type { CoildProcessSettings } from "./coild-process.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";
import type { IpamCluster } from "./ipam-cluster.ts";
import type { TestNamespace } from "./netns.ts";
import { createPodHost, NODE_IPV4, NODE_IPV6, type PodHost } from "./pod-host.ts";
import { createTemporaryDirectory } from "./temporary-directory.ts";

/** What coild answers. */
export interface Answer {
  readonly status: number;
  readonly ms: number;
  readonly body: {
    readonly result?: {
      readonly ips: readonly { readonly address: string }[];
      readonly interfaces: readonly { readonly name: string }[];
    };
    readonly code?: number;
    readonly msg?: string;
    readonly details?: string;
    readonly ready?: boolean;
    readonly reason?: string;
  };
}

/** `/v1/state`, as far as tests look at it. */
export interface State {
  readonly ready: boolean;
  readonly problems: readonly string[];
  readonly pools: readonly { readonly pool: string; readonly waiting: number; readonly ordered: number }[];
  readonly blocks: readonly { readonly block: string; readonly used: number; readonly free: number; readonly state: string }[];
  readonly attachments: readonly { readonly key: string; readonly pool: string; readonly addresses: readonly string[] }[];
}

/** A pod of the API with the namespace that a runtime made for it. */
export interface TestPod {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly containerId: string;
  readonly space: TestNamespace;
}

export interface CallOptions {
  readonly containerId?: string;
  readonly signal?: AbortSignal;
  readonly config?: object;
  readonly uid?: string;
  readonly netns?: string;
}

/** A node with the daemon on it: real namespaces, the real API server, the permissions of its service account. */
export interface CoilNode extends AsyncDisposable {
  readonly name: string;
  readonly host: PodHost["host"];
  readonly socket: string;
  /** Requests to the API server that this node made, as `verb resource`; watches left out. */
  readonly apiCalls: string[];
  /** A pod in the API and a namespace for it. */
  addPod(name: string, namespace?: string, annotations?: Record<string, string>): Promise<TestPod>;
  call(command: "add" | "del" | "check" | "status" | "gc", pod: TestPod | undefined, options?: CallOptions): Promise<Answer>;
  state(): Promise<State>;
  metrics(): Promise<string>;
  readiness(): Promise<number>;
  /** Stops the daemon as SIGTERM does. */
  stop(): Promise<void>;
  /** Kills it with -9. Only with `process: true`. */
  kill(): Promise<void>;
  /** Starts it, again, and waits until it is ready unless `wait` is false. */
  start(flags?: Partial<CoildFlags>, options?: { wait?: boolean }): Promise<void>;
}

export interface CoilNodeOptions {
  readonly flags?: Partial<CoildFlags>;
  readonly wrap?: (client: KubeClient) => KubeClient;
  /** Default: both. */
  readonly addresses?: readonly string[];
  /** As a process of its own, which can be killed; its calls to the API are not counted. */
  readonly process?: boolean;
}

/** A daemon that runs. */
interface Running {
  readonly ports: readonly [number, number];
  stop(): Promise<void>;
  kill(): Promise<void>;
}

const ACCOUNT = "system:serviceaccount:kube-system:coild";
const COILD_PROCESS = join(import.meta.dirname, "coild-process.ts");
const never = new AbortController().signal;
let serial = 0;

/** Makes the Node object and starts the daemon. */
export async function startCoilNode(
  cluster: IpamCluster,
  name: string,
  { flags = {}, wrap = (client) => client, addresses = [NODE_IPV4, NODE_IPV6], process: own = false }: CoilNodeOptions = {},
): Promise<CoilNode> {
  await using resources = new AsyncDisposableStack();
  const podHost = resources.use(await createPodHost());
  const directory = resources.use(await createTemporaryDirectory("coil-node-"));
  const socket = join(directory.path, "coild.sock");
  await addNode(cluster, name, addresses);
  const apiCalls: string[] = [];
  let running: Running | undefined;
  const inProcess = (all: CoildFlags): Omit<Running, "ports"> => {
    const stopping = new AbortController();
    const client = createKubeClient(cluster.api.configFor(ACCOUNT), { log: silentLog, userAgent: name });
    const log = process.env["COIL_TEST_LOG"] ? createLogger({ name: "coild", level: "debug" }) : createSilentLogger();
    const deps = { client: counted(wrap(client), apiCalls), node: name, log, namespace: podHost.host.ns };
    const ended = runCoild(deps, all, stopping.signal).finally(() => client[Symbol.dispose]());
    ended.catch((error: unknown) => console.error("coild failed:", error));
    return {
      async stop() {
        stopping.abort(new Error("The test stops coild"));
        await ended;
      },
      kill: () => Promise.reject(new Error("The test itself cannot be killed: want process: true")),
    };
  };
  const asProcess = async (all: CoildFlags): Promise<Omit<Running, "ports">> => {
    const kubeconfig = await cluster.api.kubeconfigFor(ACCOUNT);
    const settings: CoildProcessSettings = { kubeconfig, node: name, netns: podHost.host.path, flags: all };
    const child = spawn(process.execPath, [COILD_PROCESS, JSON.stringify(settings)], { stdio: ["ignore", "inherit", "inherit"] });
    const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
    const end = async (signal: NodeJS.Signals) => {
      child.kill(signal);
      await ended;
    };
    return { stop: () => end("SIGTERM"), kill: () => end("SIGKILL") };
  };

  const node: CoilNode = {
    name,
    host: podHost.host,
    socket,
    apiCalls,
    async addPod(podName, namespace = "default", annotations = {}) {
      const { metadata } = await cluster.client.create(
        pods,
        {
          metadata: { name: podName, namespace, annotations },
          spec: { nodeName: name, containers: [{ name: "c", image: "i" }] },
        },
        { signal: never },
      );
      const containerId = `cid-${podName}-${serial++}`;
      return { name: podName, namespace, uid: metadata.uid as string, containerId, space: await podHost.podNamespace() };
    },
    call: (command, pod, options = {}) => call(socket, command, pod, options),
    state: async () => (await http(socket, { method: "GET", path: "/v1/state" })).body as unknown as State,
    metrics: async () => (await fetch(`http://127.0.0.1:${running?.ports[0]}/metrics`)).text(),
    readiness: async () => (await fetch(`http://127.0.0.1:${running?.ports[1]}/readyz`)).status,
    async stop() {
      await running?.stop();
      running = undefined;
    },
    async kill() {
      await running?.kill();
      running = undefined;
    },
    async start(changed = {}, { wait = true } = {}) {
      const ports = [await freePort(), await freePort()] as const;
      const defaults = Object.fromEntries(Object.entries(COILD_FLAGS).map(([flag, { default: value }]) => [flag, value]));
      const local = { socket, "metrics-addr": `127.0.0.1:${ports[0]}`, "health-addr": `127.0.0.1:${ports[1]}` };
      const all = { ...(defaults as unknown as CoildFlags), ...local, ...flags, ...changed };
      running = { ...(own ? await asProcess(all) : inProcess(all)), ports };
      if (!wait) return;
      await eventually(`${name} is ready`, 20_000, async () => (await node.readiness().catch(() => 0)) === 200);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  await node.start();
  const owned = resources.move();
  owned.defer(() => node.stop());
  return node;
}

/** Adds a namespace whose pods get addresses from the pool. */
export async function addNamespace(cluster: IpamCluster, name: string, pool?: string): Promise<void> {
  const annotations = pool === undefined ? {} : { annotations: { "coil.cybozu.com/pool": pool } };
  await cluster.client.create(namespaces, { metadata: { name, ...annotations } }, { signal: never });
}

async function addNode(cluster: IpamCluster, name: string, addresses: readonly string[]): Promise<void> {
  const made = await cluster.client.create(nodes, { metadata: { name } }, { signal: never });
  const status = { addresses: addresses.map((address) => ({ type: "InternalIP", address })) };
  await cluster.client.updateStatus(nodes, { ...made, status }, { signal: never });
}

function call(socket: string, command: string, pod: TestPod | undefined, options: CallOptions): Promise<Answer> {
  const config = { cniVersion: "1.1.0", name: "k8s-pod-network", type: "coil", ...options.config };
  const attachment = pod && {
    containerId: options.containerId ?? pod.containerId,
    ifname: "eth0",
    netns: options.netns ?? pod.space.path,
    args: { K8S_POD_NAMESPACE: pod.namespace, K8S_POD_NAME: pod.name, K8S_POD_UID: options.uid ?? pod.uid },
  };
  return http(socket, { method: "POST", path: `/v1/${command}`, body: { config, ...attachment }, signal: options.signal });
}

function http(
  socketPath: string,
  { method, path, body, signal }: { method: string; path: string; body?: object; signal?: AbortSignal | undefined },
): Promise<Answer> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method, path, agent: false, ...(signal && { signal }) }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("error", reject);
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, ms: performance.now() - started, body: JSON.parse(text) });
      });
    });
    outgoing.on("error", reject);
    outgoing.end(body && JSON.stringify(body));
  });
}

/** Notes every call but watches. */
function counted(client: KubeClient, calls: string[]): KubeClient {
  const note = (verb: string, { plural }: { plural: string }) => void calls.push(`${verb} ${plural}`);
  const wrap =
    <A extends readonly unknown[], R>(verb: string, run: (...args: A) => R) =>
    (...args: A): R => {
      note(verb, args[0] as { plural: string });
      return run(...args);
    };
  return {
    ...client,
    get: wrap("get", client.get) as KubeClient["get"],
    list: wrap("list", client.list) as KubeClient["list"],
    create: wrap("create", client.create) as KubeClient["create"],
    update: wrap("update", client.update) as KubeClient["update"],
    patch: wrap("patch", client.patch) as KubeClient["patch"],
    delete: wrap("delete", client.delete) as KubeClient["delete"],
  };
}
