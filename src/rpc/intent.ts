import type { CniArgs } from "../cni/args.ts";
import type { Attachment } from "../cni/environment.ts";
import { CNI_ERROR, CniError } from "../cni/error.ts";
import { asObject, asOptionalString, asString, parseJson } from "../cni/json.ts";
import { containerIdProblem, interfaceNameProblem } from "../cni/names.ts";

/**
 * A DEL that came while coild was down: the plugin leaves it as a file and answers with success, coild carries it out later.
 * The file is there whole or not at all (written under another name, then renamed); names that begin with a dot are not finished.
 * An ADD of the same attachment makes it void.
 */
export interface DelIntent extends Attachment {
  readonly netns?: string;
  readonly args: CniArgs;
  /** Name of the network. */
  readonly network: string;
  /** When the DEL came, RFC 3339. */
  readonly at: string;
}

/** The folder of intents that belongs to a socket: `/run/coild.pending` for `/run/coild.sock`. */
export function intentDirectory(socket: string): string {
  return `${socket.replace(/\.sock$/, "")}.pending`;
}

/** The file of an attachment's intent. The colon is in neither name, so no two attachments share a file. */
export function intentFileName({ containerId, ifname }: Attachment): string {
  return `${containerId}:${ifname}.json`;
}

/** Whether a file in the folder is a finished intent. */
export function isIntentFileName(name: string): boolean {
  return !name.startsWith(".") && name.endsWith(".json");
}

/** The content of the file. */
export function formatIntent(intent: DelIntent): string {
  return `${JSON.stringify(intent)}\n`;
}

/** Reads the content of the file. Throws `CniError` 6. */
export function parseIntent(text: string): DelIntent {
  const raw = asObject(parseJson(text, "the intent"), "the intent");
  const containerId = asString(raw["containerId"], "containerId of the intent");
  const ifname = asString(raw["ifname"], "ifname of the intent");
  const problem = containerIdProblem(containerId) ?? interfaceNameProblem(ifname);
  if (problem !== undefined) throw new CniError(CNI_ERROR.decodingFailure, problem);
  const netns = asOptionalString(raw["netns"], "netns of the intent");
  const args = Object.entries(asObject(raw["args"] ?? {}, "args of the intent"));
  return {
    containerId,
    ifname,
    ...(netns === undefined ? {} : { netns }),
    args: Object.fromEntries(args.map(([key, value]) => [key, asString(value, `args.${key} of the intent`)])),
    network: asString(raw["network"], "network of the intent"),
    at: asString(raw["at"], "at of the intent"),
  };
}
