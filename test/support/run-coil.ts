import { spawn } from "node:child_process";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { buildPlugin } from "../../plugin/build.ts";

const NODE_HOST = fileURLToPath(new URL("../../bin/coil.ts", import.meta.url));

/** How to start one of the two forms of the plugin. */
export interface PluginForm {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}

/** The executable that users run. */
export async function staticForm(): Promise<PluginForm> {
  return { name: "static file", command: [await buildPlugin({ log: console.log })] };
}

/** The same code in Node. */
export const nodeForm: PluginForm = { name: "Node", command: [process.execPath, NODE_HOST] };

export interface Run {
  readonly env: Readonly<Record<string, string>>;
  /** An object is sent as JSON; `undefined` leaves standard input open and empty. */
  readonly input?: object | string | Uint8Array | undefined;
  readonly uid?: number;
  readonly signal?: AbortSignal;
}

/** What the plugin may print: an error, a result, the versions. */
export interface PluginOutput {
  readonly cniVersion: string;
  readonly code?: number;
  readonly msg?: string;
  readonly details?: string;
  readonly interfaces?: readonly { readonly name: string; readonly mtu?: number }[];
  readonly ips?: readonly { readonly address: string; readonly version?: string }[];
  readonly routes?: readonly { readonly dst: string; readonly gw?: string }[];
  readonly supportedVersions?: readonly string[];
}

/** How a run of the plugin ended. */
export interface Ended {
  readonly code: number | null;
  readonly killedBy: NodeJS.Signals | null;
  /** The document on standard output; undefined if there is none. Must be nothing or one line of JSON. */
  readonly output: PluginOutput | undefined;
  readonly errorText: string;
  readonly ms: number;
}

/** Runs the plugin with this environment and nothing else of it. */
export async function runCoil(form: PluginForm, { env, input, uid, signal }: Run): Promise<Ended> {
  const [program, ...args] = form.command;
  const started = performance.now();
  const child = spawn(program, args, { env, stdio: "pipe", ...(uid !== undefined && { uid }), ...(signal && { signal }) });
  // A plugin that does not want its input closes the pipe; one that is aborted is reported by `close`.
  child.stdin.on("error", () => {});
  child.on("error", () => {});
  if (input !== undefined) {
    child.stdin.end(typeof input === "string" || input instanceof Uint8Array ? input : JSON.stringify(input));
  }
  const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
    child.once("close", (code, killedBy) => resolve([code, killedBy])),
  );
  const [output, errors, [code, killedBy]] = await Promise.all([buffer(child.stdout), buffer(child.stderr), ended]);
  return {
    code,
    killedBy,
    output: output.length === 0 ? undefined : JSON.parse(output.toString()),
    errorText: errors.toString(),
    ms: performance.now() - started,
  };
}
