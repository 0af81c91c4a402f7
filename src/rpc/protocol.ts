import type { CniArgs } from "../cni/args.ts";
import type { AttachmentCommand, CniCommand, NetworkCommand } from "../cni/command.ts";
import { type NetworkConfig, parseNetworkConfig } from "../cni/config.ts";
import { CNI_ERROR, CniError, type CniErrorBody } from "../cni/error.ts";
import { asObject, asOptionalString, asString, isObject, type JsonObject } from "../cni/json.ts";
import { containerIdProblem, interfaceNameProblem } from "../cni/names.ts";
import { type CniResult, parseResult } from "../cni/result.ts";
import type { CniVersion } from "../cni/version.ts";

/** Where coild takes calls: POST with a JSON body, over the UNIX socket. */
export const RPC_PATHS = {
  add: "/v1/add",
  del: "/v1/del",
  check: "/v1/check",
  status: "/v1/status",
  gc: "/v1/gc",
} as const;

/** The path of a command. */
export function rpcPath(command: AttachmentCommand | NetworkCommand): string {
  switch (command) {
    case "ADD":
      return RPC_PATHS.add;
    case "DEL":
      return RPC_PATHS.del;
    case "CHECK":
      return RPC_PATHS.check;
    case "STATUS":
      return RPC_PATHS.status;
    case "GC":
      return RPC_PATHS.gc;
  }
}

/** A STATUS or GC as coild gets it. On the wire `config` is the network configuration as the runtime gave it. */
export interface NetworkCall {
  readonly cniVersion: CniVersion;
  readonly config: NetworkConfig;
}

/** An ADD, DEL or CHECK as coild gets it. */
export interface CniCall extends NetworkCall {
  readonly containerId: string;
  readonly ifname: string;
  /** Path of the network namespace, as the runtime sees it. May be absent in a DEL. */
  readonly netns?: string;
  readonly args: CniArgs;
  readonly path?: string;
}

/** Answer to ADD, DEL, CHECK and GC with HTTP status 200. Only an ADD has a result. */
export interface CallReply {
  readonly result?: CniResult;
}

/** Answer to STATUS with HTTP status 200. */
export interface StatusReply {
  /** Whether an ADD can be served now. */
  readonly ready: boolean;
  /** Why not, as a sentence. */
  readonly reason?: string;
  /** With `ready: false`: whether existing pods may lack connectivity too (CNI error 51 instead of 50). */
  readonly limitedConnectivity?: boolean;
}

/** The body of a failed call: any HTTP status from 400 on. */
export type CallFailure = CniErrorBody;

/** Reads the body of an ADD, DEL or CHECK. Throws `CniError` as {@link parseNetworkConfig}, 6 for wrong types and 4 for impossible names. */
export function parseCniCall(command: AttachmentCommand, body: unknown): CniCall {
  const raw = asObject(body, "the call");
  const containerId = asString(raw["containerId"], "containerId of the call");
  const ifname = asString(raw["ifname"], "ifname of the call");
  const netns = asOptionalString(raw["netns"], "netns of the call");
  const path = asOptionalString(raw["path"], "path of the call");
  const problem = containerIdProblem(containerId) ?? interfaceNameProblem(ifname);
  if (problem !== undefined) throw new CniError(CNI_ERROR.invalidEnvironment, problem);
  if (netns === undefined && command !== "DEL")
    throw new CniError(CNI_ERROR.invalidEnvironment, `Missing netns in the call: ${command} needs it`);
  return {
    ...parseNetworkCall(command, raw),
    containerId,
    ifname,
    ...(netns === undefined ? {} : { netns }),
    args: parseArgs(raw),
    ...(path === undefined ? {} : { path }),
  };
}

/** Reads the body of a STATUS or GC. Throws `CniError` as {@link parseNetworkConfig}. */
export function parseNetworkCall(command: CniCommand, body: unknown): NetworkCall {
  const config = parseNetworkConfig(asObject(body, "the call")["config"], command);
  return { cniVersion: config.cniVersion, config };
}

/** Reads the answer to a call that succeeded. Throws `CniError` 6. */
export function parseCallReply(body: unknown): CallReply {
  const raw = asObject(body, "the answer of coild");
  return raw["result"] === undefined ? {} : { result: parseResult(raw["result"], "the result of coild") };
}

/** Reads the answer to a STATUS. Throws `CniError` 6. */
export function parseStatusReply(body: unknown): StatusReply {
  const raw = asObject(body, "the answer of coild");
  const reason = asOptionalString(raw["reason"], "reason of coild's answer");
  return {
    ready: raw["ready"] === true,
    ...(reason === undefined ? {} : { reason }),
    ...(raw["limitedConnectivity"] === true ? { limitedConnectivity: true } : {}),
  };
}

/** The error that a failed call stands for; anything that is not a {@link CallFailure} becomes `internal`. */
export function parseCallFailure(status: number, body: unknown): CniError {
  const { code, msg, details } = isObject(body) ? body : {};
  if (typeof code !== "number" || !Number.isSafeInteger(code) || code < 1 || typeof msg !== "string") {
    return new CniError(CNI_ERROR.internal, `coild answered with HTTP status ${status} and no reason`);
  }
  return new CniError(code, msg, { details: typeof details === "string" ? details : undefined });
}

/** The HTTP status that goes with a CNI error code: for people and proxies, the plugin looks at the code alone. */
export function httpStatusOf(code: number): number {
  switch (code) {
    case CNI_ERROR.incompatibleVersion:
    case CNI_ERROR.unsupportedField:
    case CNI_ERROR.invalidEnvironment:
    case CNI_ERROR.decodingFailure:
    case CNI_ERROR.invalidNetworkConfig:
    case CNI_ERROR.invalidNetns:
      return 400;
    case CNI_ERROR.unknownContainer:
      return 404;
    case CNI_ERROR.tryAgainLater:
    case CNI_ERROR.notAvailable:
    case CNI_ERROR.limitedConnectivity:
      return 503;
    default:
      return 500;
  }
}

function parseArgs(raw: JsonObject): CniArgs {
  const args = asObject(raw["args"] ?? {}, "args of the call");
  return Object.fromEntries(Object.entries(args).map(([key, value]) => [key, asString(value, `args.${key} of the call`)]));
}
