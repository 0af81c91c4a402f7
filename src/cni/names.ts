/** Rule of the specification for container ids and network names. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

const NAME_RULE = 'want a letter or digit, then letters, digits, "_", "." or "-"';

/** Longest container id: with it the link alias and file names stay below 255 bytes. Runtimes use 64. */
const MAX_CONTAINER_ID = 128;

/** IFNAMSIZ - 1 of the kernel. */
const MAX_INTERFACE_NAME = 15;

/** Why the text cannot be a container id, as a sentence; undefined if it can. */
export function containerIdProblem(text: string): string | undefined {
  if (NAME.test(text) && text.length <= MAX_CONTAINER_ID) return undefined;
  return `Invalid container id ${JSON.stringify(text)}: ${NAME_RULE}, ${MAX_CONTAINER_ID} at most`;
}

/** Why the text cannot be the name of a link (the kernel's rule), as a sentence; undefined if it can. */
export function interfaceNameProblem(text: string): string | undefined {
  const shape = text !== "" && text !== "." && text !== ".." && !/[/:\s\0]/.test(text);
  if (shape && utf8Length(text) <= MAX_INTERFACE_NAME) return undefined;
  return `Invalid interface name ${JSON.stringify(text)}: want 1 to ${MAX_INTERFACE_NAME} bytes, not "." or "..", without "/", ":" and blanks`;
}

/** Why the text cannot be the name of a network, as a sentence; undefined if it can. */
export function networkNameProblem(text: string): string | undefined {
  return NAME.test(text) ? undefined : `Invalid network name ${JSON.stringify(text)}: ${NAME_RULE}`;
}

function utf8Length(text: string): number {
  let length = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    length += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return length;
}
