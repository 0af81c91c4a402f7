import { performance } from "node:perf_hooks";
import { styleFor } from "./style.ts";

/** Tells a person what is being done and how long it took, a line a step. */
export interface Steps {
  /** Runs `action` as a step. A text that it gives says what came out. */
  step(title: string, action: (progress: (line: string) => void) => Promise<unknown>): Promise<void>;
  /** A line between steps. */
  say(line: string): void;
  /** A block of text, indented. */
  show(text: string): void;
}

const TITLE_WIDTH = 58;
/** A step that takes longer says that it goes on, where the line cannot be painted anew. */
const PATIENCE_MS = 10_000;

/** Steps on standard output: a line that is completed in place on a terminal, whole lines elsewhere. */
export function createSteps(out: NodeJS.WriteStream = process.stdout): Steps {
  const { green, red, dim } = styleFor(out, process.env);
  const live = out.isTTY === true && !process.env["CI"];
  const write = (text: string) => void out.write(text);
  return {
    async step(title, action) {
      const started = performance.now();
      const seconds = () => `${((performance.now() - started) / 1000).toFixed(1)} s`;
      const clear = () => live && write("\r\u001b[2K");
      const begin = () => live && write(`${dim("·")} ${title} ${dim("…")}`);
      begin();
      const progress = (line: string) => {
        clear();
        write(`  ${dim(line)}\n`);
        begin();
      };
      const patience = live ? undefined : setInterval(() => progress(`${title}: ${seconds()}`), PATIENCE_MS);
      try {
        const outcome = await action(progress);
        clear();
        write(`${green("✓")} ${(outcome ? `${title}: ${outcome}` : title).padEnd(TITLE_WIDTH)} ${dim(seconds().padStart(7))}\n`);
      } catch (error) {
        clear();
        write(`${red("✗")} ${title.padEnd(TITLE_WIDTH)} ${dim(seconds().padStart(7))}\n`);
        throw error;
      } finally {
        clearInterval(patience);
      }
    },
    say: (line) => write(`${line}\n`),
    show: (text) => write(`${text.trimEnd().replace(/^(?=.)/gm, "  ")}\n`),
  };
}
