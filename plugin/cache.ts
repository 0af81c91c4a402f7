import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** Where what is slow to make is kept between checkouts. */
export function cacheFolder(env: Readonly<Record<string, string | undefined>>): string {
  return join(env["COIL_CACHE"] || env["XDG_CACHE_HOME"] || join(env["HOME"] || homedir(), ".cache"), "coil");
}

/** Makes a folder that is there whole or not at all: `fill` gets a new one, which is put in place at the end. Of two at once the first wins. */
export async function fillFolder(folder: string, fill: (unfinished: string) => Promise<void>): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const unfinished = await mkdtemp(`${folder}.new-`);
  try {
    await fill(unfinished);
    await rename(unfinished, folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}
