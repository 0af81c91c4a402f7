import { type CniCommand, isAttachmentCommand } from "../cni/command.ts";
import { type NetworkConfig, parseNetworkConfig } from "../cni/config.ts";
import { type AttachmentRequest, type CniRequest, parseEnvironment } from "../cni/environment.ts";
import { CNI_ERROR, CniError, cniErrorBody } from "../cni/error.ts";
import { formatResult } from "../cni/format-result.ts";
import { asObject, isObject, type JsonObject, parseJson } from "../cni/json.ts";
import { isSupportedVersion, NEWEST_VERSION, versionDocument } from "../cni/version.ts";
import { timeLeft } from "../rpc/exchange.ts";
import { parseCallReply } from "../rpc/protocol.ts";
import { decodeUtf8, encodeUtf8 } from "../rpc/utf8.ts";
import { callCoild, requireAnswer } from "./call.ts";
import { del } from "./del.ts";
import type { Host } from "./host.ts";
import { status } from "./status.ts";

/** A network configuration with the previous result has a few kilobytes. */
const MAX_INPUT = 4 * 1024 * 1024;

/** A runtime asks for STATUS often, and waits for it. */
const STATUS_TIMEOUT_SECONDS = 5;

/** The document of a call that needs none. */
type Answer = object | undefined;

/** Runs the plugin once: environment and standard input to standard output. The answer is the exit code; it never throws. */
export async function runPlugin(host: Host): Promise<0 | 1> {
  let version: string = NEWEST_VERSION;
  try {
    const request = parseEnvironment(host.variable);
    if (request.command === "VERSION") {
      await print(host, versionDocument(await requestedVersion(host)));
      return 0;
    }
    const raw = await readConfig(host);
    version = usableVersion(raw) ?? version;
    const answer = await answerTo(host, request, raw);
    if (answer !== undefined) await print(host, answer);
    return 0;
  } catch (error) {
    // Nobody may be left to hear it; the exit code says enough then.
    await print(host, { cniVersion: version, ...cniErrorBody(error) }).catch(() => undefined);
    return 1;
  }
}

async function answerTo(host: Host, request: Exclude<CniRequest, { command: "VERSION" }>, raw: JsonObject): Promise<Answer> {
  const { command } = request;
  const config = limitStatus(parseNetworkConfig(raw, command), command);
  const call = { command, config, body: bodyOf(request, config, raw) };
  const left = timeLeft(config.timeout * 1000, host.clock);
  switch (command) {
    case "ADD":
      return resultOf(config, requireAnswer(await callCoild(host, call, left)));
    case "DEL":
      await del(host, call, request, left);
      return undefined;
    case "STATUS":
      await status(host, call, left);
      return undefined;
    case "CHECK":
    case "GC":
      requireAnswer(await callCoild(host, call, left));
      return undefined;
  }
}

function limitStatus(config: NetworkConfig, command: CniCommand): NetworkConfig {
  return command === "STATUS" ? { ...config, timeout: Math.min(config.timeout, STATUS_TIMEOUT_SECONDS) } : config;
}

/** What coild gets: the network configuration as it came, without what a DEL could stumble over. */
function bodyOf(request: AttachmentRequest | { command: "STATUS" | "GC" }, config: NetworkConfig, raw: JsonObject): object {
  const { prevResult, ...rest } = raw;
  const sent = config.prevResult === undefined ? rest : { ...rest, prevResult };
  if (!isAttachmentCommand(request.command)) return { cniVersion: config.cniVersion, config: sent };
  const { command: _, ...attachment } = request;
  return { cniVersion: config.cniVersion, ...attachment, config: sent };
}

/** The result in the version of the configuration. Behind other plugins coild may have nothing to add to theirs. */
function resultOf(config: NetworkConfig, body: unknown): object {
  const result = parseCallReply(body).result ?? config.prevResult;
  if (result === undefined) throw new CniError(CNI_ERROR.internal, "coild answered the ADD without a result");
  return formatResult(result, config.cniVersion);
}

async function readConfig(host: Host): Promise<JsonObject> {
  let input: Uint8Array;
  try {
    input = await host.readInput(MAX_INPUT + 1);
  } catch (error) {
    throw new CniError(CNI_ERROR.ioFailure, `Cannot read standard input: ${(error as Error).message}`, { cause: error });
  }
  if (input.length > MAX_INPUT) {
    throw new CniError(CNI_ERROR.decodingFailure, `Cannot read the network configuration: it has more than ${MAX_INPUT} bytes`);
  }
  let text: string;
  try {
    text = decodeUtf8(input);
  } catch (error) {
    throw new CniError(CNI_ERROR.decodingFailure, `Cannot read the network configuration: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return asObject(parseJson(text, "the network configuration"), "the network configuration");
}

/** VERSION is answered whatever standard input holds. */
async function requestedVersion(host: Host): Promise<string | undefined> {
  try {
    const raw: unknown = JSON.parse(decodeUtf8(await host.readInput(MAX_INPUT)));
    return isObject(raw) && typeof raw["cniVersion"] === "string" ? raw["cniVersion"] : undefined;
  } catch {
    return undefined;
  }
}

function usableVersion(raw: JsonObject): string | undefined {
  const version = raw["cniVersion"];
  return typeof version === "string" && isSupportedVersion(version) ? version : undefined;
}

async function print(host: Host, document: object): Promise<void> {
  await host.writeOutput(encodeUtf8(`${JSON.stringify(document)}\n`));
}
