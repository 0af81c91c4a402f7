import type { CniCommand } from "./command.ts";
import type { Attachment } from "./environment.ts";
import { CNI_ERROR, CniError } from "./error.ts";
import { asList, asObject, asOptionalCount, asOptionalString, asString, type JsonObject } from "./json.ts";
import { containerIdProblem, interfaceNameProblem, networkNameProblem } from "./names.ts";
import { type CniResult, parseResult } from "./result.ts";
import { type CniVersion, isSupportedVersion, SUPPORTED_VERSIONS, versionAtLeast } from "./version.ts";

/** Where coild listens when the network configuration does not say. */
export const DEFAULT_SOCKET = "/run/coild.sock";

/** How long one call may take, in seconds, when the network configuration does not say. */
export const DEFAULT_TIMEOUT_SECONDS = 60;

const MAX_TIMEOUT_SECONDS = 600;

const VALID_ATTACHMENTS = "cni.dev/valid-attachments";

/** The network configuration that a plugin gets on stdin, as far as this one uses it. */
export interface NetworkConfig {
  readonly cniVersion: CniVersion;
  /** Name of the network: attachments belong to it, and GC touches no other's. */
  readonly name: string;
  readonly type: string;
  /** Path of coild's UNIX socket. */
  readonly socket: string;
  /** Limit for one call, in seconds. */
  readonly timeout: number;
  /** What the plugins before (ADD) or the whole chain (DEL, CHECK) answered, in the shape of 1.1.0. Always there for CHECK. */
  readonly prevResult?: CniResult;
  /** Only with GC, and then always: the attachments that must stay. */
  readonly validAttachments?: readonly Attachment[];
}

/** Versions that brought the commands which were not there from the start. */
const SINCE: Partial<Record<CniCommand, CniVersion>> = { CHECK: "0.4.0", STATUS: "1.1.0", GC: "1.1.0" };

/**
 * Reads a network configuration for a command. Throws `CniError`: 1 for a version that is not supported or has no such command,
 * 6 for fields of a wrong type, 7 for values that cannot be.
 */
export function parseNetworkConfig(value: unknown, command: CniCommand): NetworkConfig {
  const raw = asObject(value, "the network configuration");
  const cniVersion = parseVersion(raw, command);
  const name = asString(raw["name"] ?? "", "name of the network configuration");
  if (name === "") throw invalid("Missing name in the network configuration");
  const problem = networkNameProblem(name);
  if (problem !== undefined) throw invalid(problem);
  const prevResult = parsePrevResult(raw, command);
  return {
    cniVersion,
    name,
    type: asString(raw["type"] ?? "", "type of the network configuration"),
    socket: parseSocket(raw),
    timeout: parseTimeout(raw),
    ...(prevResult ? { prevResult } : {}),
    ...(command === "GC" ? { validAttachments: parseValidAttachments(raw) } : {}),
  };
}

function parseVersion(raw: JsonObject, command: CniCommand): CniVersion {
  // A configuration without a version is of 0.1.0, says the specification.
  const version = asOptionalString(raw["cniVersion"], "cniVersion of the network configuration") ?? "0.1.0";
  if (!isSupportedVersion(version)) {
    throw new CniError(CNI_ERROR.incompatibleVersion, `CNI version ${JSON.stringify(version)} is not supported`, {
      details: `want one of ${SUPPORTED_VERSIONS.join(", ")} as cniVersion of the network configuration`,
    });
  }
  const since = SINCE[command];
  if (since === undefined || versionAtLeast(version, since)) return version;
  throw new CniError(CNI_ERROR.incompatibleVersion, `CNI version ${version} has no ${command}: it came with ${since}`);
}

function parseSocket(raw: JsonObject): string {
  const socket = asOptionalString(raw["socket"], "socket of the network configuration") ?? DEFAULT_SOCKET;
  // sun_path holds 108 bytes with its end.
  if (/^\/[\x21-\x7e]{1,106}$/.test(socket)) return socket;
  throw invalid(`Invalid socket ${JSON.stringify(socket)}: want an absolute path of at most 107 characters`);
}

function parseTimeout(raw: JsonObject): number {
  const timeout = asOptionalCount(raw["timeout"], "timeout of the network configuration") ?? DEFAULT_TIMEOUT_SECONDS;
  if (timeout >= 1 && timeout <= MAX_TIMEOUT_SECONDS) return timeout;
  throw invalid(`Invalid timeout ${timeout}: want 1 to ${MAX_TIMEOUT_SECONDS} seconds`);
}

/** A DEL uses the previous result at most as a hint, and must not be stuck because of it. */
function parsePrevResult(raw: JsonObject, command: CniCommand): CniResult | undefined {
  const value = raw["prevResult"] ?? undefined;
  if (value === undefined && command === "CHECK")
    throw invalid("Missing prevResult in the network configuration: CHECK needs it");
  if (value === undefined || command === "STATUS" || command === "GC" || command === "VERSION") return undefined;
  try {
    return parseResult(value, "prevResult");
  } catch (error) {
    if (command === "DEL") return undefined;
    throw error;
  }
}

/** Absent is refused: an empty list would remove every attachment. */
function parseValidAttachments(raw: JsonObject): Attachment[] {
  if (!(VALID_ATTACHMENTS in raw)) throw invalid(`Missing ${VALID_ATTACHMENTS} in the network configuration: GC needs it`);
  return asList(raw[VALID_ATTACHMENTS], VALID_ATTACHMENTS).map((item, i) => {
    const attachment = asObject(item, `${VALID_ATTACHMENTS}[${i}]`);
    const containerId = asString(attachment["containerID"], `${VALID_ATTACHMENTS}[${i}].containerID`);
    const ifname = asString(attachment["ifname"], `${VALID_ATTACHMENTS}[${i}].ifname`);
    const problem = containerIdProblem(containerId) ?? interfaceNameProblem(ifname);
    if (problem !== undefined) throw invalid(`${VALID_ATTACHMENTS}[${i}]: ${problem}`);
    return { containerId, ifname };
  });
}

function invalid(message: string): CniError {
  return new CniError(CNI_ERROR.invalidNetworkConfig, message);
}
