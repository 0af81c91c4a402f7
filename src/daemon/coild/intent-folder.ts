import { existsSync, unlinkSync, watch } from "node:fs";
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Attachment } from "../../cni/environment.ts";
import type { Clock } from "../../kube/clock.ts";
import type { Logger } from "../../observe/logger.ts";
import { type DelIntent, intentFileName, isIntentFileName, parseIntent } from "../../rpc/intent.ts";

/** DELs that the plugin left behind while coild was down. */
export interface IntentFolder {
  /** The attachment has no intent any more: an ADD makes it void, a DEL carries it out. Throws when the file cannot be removed. */
  remove(attachment: Attachment): void;
  /** Whether the attachment has an intent. */
  has(attachment: Attachment): Promise<boolean>;
  /** Hands every intent that is there to `replay`, one after the other; those for which it rejects stay. Never rejects. */
  replayAll(replay: (intent: DelIntent) => Promise<void>): Promise<void>;
  /** Does so whenever something appears in the folder, and now and then. Ends when aborted. */
  run(replay: (intent: DelIntent) => Promise<void>, signal: AbortSignal): Promise<void>;
}

/** Files that were never finished are removed after this time, in ms. */
const UNFINISHED_MS = 60_000;
const SCAN_MS = 15_000;
/** Intents that fail are not tried more often than this, in ms. */
const PAUSE_MS = 200;

/** The intents in `directory`, which is made if need be. */
export function createIntentFolder(directory: string, { log, clock }: { log: Logger; clock: Clock }): IntentFolder {
  const path = (attachment: Attachment) => join(directory, intentFileName(attachment));

  async function replayFile(name: string, replay: (intent: DelIntent) => Promise<void>): Promise<void> {
    const file = join(directory, name);
    let intent: DelIntent;
    try {
      intent = parseIntent(await readFile(file, "utf8"));
      if (intentFileName(intent) !== name) throw new SyntaxError(`The intent ${name} is of another attachment`);
    } catch (err) {
      if ((err as NodeJS.ErrnoException).code === "ENOENT") return;
      log.warn({ err, file }, "removing a DEL intent that cannot be read");
      await rm(file, { force: true });
      return;
    }
    await replay(intent);
  }

  async function removeUnfinished(name: string): Promise<void> {
    const file = join(directory, name);
    const found = await stat(file).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > UNFINISHED_MS) await rm(file, { force: true });
  }

  const folder: IntentFolder = {
    // Every call looks here, and as a rule there is nothing: a system call is cheaper than a turn of the thread pool, which is busy
    // with the kernel's answers when many pods come.
    remove(attachment) {
      const file = path(attachment);
      if (existsSync(file)) unlinkSync(file);
    },
    has: (attachment) =>
      stat(path(attachment)).then(
        () => true,
        () => false,
      ),
    async replayAll(replay) {
      const names = await readdir(directory).catch(() => []);
      for (const name of names.sort()) {
        try {
          await (isIntentFileName(name) ? replayFile(name, replay) : removeUnfinished(name));
        } catch (err) {
          log.warn({ err, intent: name }, "cannot carry out a DEL intent yet");
        }
      }
    },
    async run(replay, signal) {
      while (!signal.aborted) {
        await mkdir(directory, { recursive: true, mode: 0o700 });
        const woken = new AbortController();
        const wake = () => woken.abort();
        signal.addEventListener("abort", wake, { once: true });
        const watcher = watch(directory, { signal: woken.signal }, wake);
        watcher.on("error", wake);
        await folder.replayAll(replay);
        await clock.sleep(SCAN_MS, { signal: woken.signal }).catch(() => undefined);
        signal.removeEventListener("abort", wake);
        woken.abort();
        await clock.sleep(PAUSE_MS, { signal }).catch(() => undefined);
      }
    },
  };
  return folder;
}
