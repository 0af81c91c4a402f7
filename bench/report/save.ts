import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { plot } from "./plot.ts";
import type { BenchResult } from "./result.ts";

const FOLDER = join(import.meta.dirname, "../results");

/** Writes the figures of a full run and their plot over those of the last one. Answers the files. */
export async function saveResult(result: BenchResult): Promise<string[]> {
  await mkdir(FOLDER, { recursive: true });
  const files = [
    { file: join(FOLDER, "last.json"), text: `${JSON.stringify(result, rounded, 2)}\n` },
    { file: join(FOLDER, "last.svg"), text: plot(result) },
  ];
  for (const { file, text } of files) await writeFile(file, text);
  return files.map(({ file }) => file);
}

/** More digits than were measured would only make differences between runs hard to read. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === "number" ? Number(value.toPrecision(4)) : value;
}
