import * as os from "quickjs:os";
import { check, writeAll } from "./descriptor.ts";

/** Writes a file that is there whole or not at all, and its folder if need be. Throws `SystemError`. */
export function writeFile({ folder, name }: { folder: string; name: string }, bytes: Uint8Array<ArrayBuffer>): void {
  makeFolder(folder);
  const unfinished = `${folder}/.${name}.${os.getpid()}`;
  try {
    const fd = check(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "open");
    try {
      writeAll(fd, bytes, "write");
    } finally {
      os.close(fd);
    }
    check(os.rename(unfinished, `${folder}/${name}`), "rename");
  } catch (error) {
    os.remove(unfinished);
    throw error;
  }
}

/** Makes the folder and those above it; what is there already is left alone, and what cannot be made shows when a file is opened. */
function makeFolder(folder: string): void {
  for (let end = folder.indexOf("/", 1); end > 0; end = folder.indexOf("/", end + 1)) os.mkdir(folder.slice(0, end), 0o755);
  os.mkdir(folder, 0o700);
}
