import { type CniArgs, parseCniArgs } from "./args.ts";
import { type AttachmentCommand, COMMANDS, isAttachmentCommand, isCommand, type NetworkCommand } from "./command.ts";
import { CNI_ERROR, CniError } from "./error.ts";
import { containerIdProblem, interfaceNameProblem } from "./names.ts";

/** Which interface of which container: the key of everything a plugin keeps. */
export interface Attachment {
  readonly containerId: string;
  readonly ifname: string;
}

/** What the environment says about an ADD, DEL or CHECK. */
export interface AttachmentRequest extends Attachment {
  readonly command: AttachmentCommand;
  /** Path of the network namespace. Always there for ADD and CHECK; a DEL may come without. */
  readonly netns?: string;
  readonly args: CniArgs;
  /** CNI_PATH as it came: folders of plugin binaries, separated by colons. */
  readonly path?: string;
}

/** What the environment says: the command and its parameters. */
export type CniRequest = AttachmentRequest | { readonly command: NetworkCommand } | { readonly command: "VERSION" };

/** Reads and validates the CNI_* variables. An empty variable counts as missing. Throws `CniError` 4 that names every missing one. */
export function parseEnvironment(variable: (name: string) => string | undefined): CniRequest {
  const command = variable("CNI_COMMAND") || undefined;
  if (command === undefined) throw missing(["CNI_COMMAND"]);
  if (!isCommand(command)) {
    throw invalid(`Unknown CNI_COMMAND ${JSON.stringify(command)}: want one of ${COMMANDS.join(", ")}`);
  }
  return isAttachmentCommand(command) ? parseAttachment(command, variable) : { command };
}

function parseAttachment(command: AttachmentCommand, variable: (name: string) => string | undefined): AttachmentRequest {
  const containerId = variable("CNI_CONTAINERID") ?? "";
  const ifname = variable("CNI_IFNAME") ?? "";
  const netns = variable("CNI_NETNS") ?? "";
  const path = variable("CNI_PATH") ?? "";
  const needed = { CNI_CONTAINERID: containerId, CNI_IFNAME: ifname, ...(command === "DEL" ? {} : { CNI_NETNS: netns }) };
  const absent = Object.entries(needed).filter(([, value]) => value === "");
  if (absent.length > 0) throw missing(absent.map(([name]) => name));
  const problem = containerIdProblem(containerId) ?? interfaceNameProblem(ifname);
  if (problem !== undefined) throw invalid(problem);
  if (command !== "DEL" && !netns.startsWith("/")) {
    throw invalid(`Invalid CNI_NETNS ${JSON.stringify(netns)}: want an absolute path`);
  }
  const args = parseArgs(command, variable("CNI_ARGS") ?? "");
  return { command, containerId, ifname, args, ...(netns === "" ? {} : { netns }), ...(path === "" ? {} : { path }) };
}

/** A DEL needs no arguments, and must not be stuck because of those that made the ADD fail. */
function parseArgs(command: AttachmentCommand, text: string): CniArgs {
  try {
    return parseCniArgs(text);
  } catch (error) {
    if (command === "DEL") return {};
    throw error;
  }
}

function missing(names: readonly string[]): CniError {
  return invalid(`Missing environment ${names.length === 1 ? "variable" : "variables"} ${names.join(", ")}`);
}

function invalid(message: string): CniError {
  return new CniError(CNI_ERROR.invalidEnvironment, message);
}
