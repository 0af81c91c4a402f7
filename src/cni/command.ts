/** The operations of the CNI specification. */
export type CniCommand = "ADD" | "DEL" | "CHECK" | "STATUS" | "GC" | "VERSION";

/** The operations that concern one interface of one container. */
export type AttachmentCommand = "ADD" | "DEL" | "CHECK";

/** The operations that concern a network as a whole. */
export type NetworkCommand = "STATUS" | "GC";

/** All commands, in the order of the specification. */
export const COMMANDS: readonly CniCommand[] = ["ADD", "DEL", "CHECK", "STATUS", "GC", "VERSION"];

/** Whether the text is one of {@link COMMANDS}. */
export function isCommand(text: string): text is CniCommand {
  return (COMMANDS as readonly string[]).includes(text);
}

/** Whether the command needs a container id and an interface name. */
export function isAttachmentCommand(command: CniCommand): command is AttachmentCommand {
  return command === "ADD" || command === "DEL" || command === "CHECK";
}
