/**
 * Writes what follows from the sources: the CustomResourceDefinitions, and the tables of their fields in the reference. With
 * `--check`, changes nothing and fails when a file is not what would be written.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { MANIFESTS, manifests } from "./generate/manifests.ts";
import { REFERENCE, reference } from "./generate/reference.ts";

const ROOT = join(import.meta.dirname, "..");
const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });

const wanted = manifests().set(REFERENCE, reference(read(REFERENCE) ?? ""));
const stale = [...wanted].filter(([path, text]) => read(path) !== text);
const folder = join(ROOT, MANIFESTS);
const foreign = (existsSync(folder) ? readdirSync(folder) : []).filter((name) => !wanted.has(`${MANIFESTS}/${name}`));

if (values.check) {
  for (const [path] of stale) console.error(`${path} is not current: run node tools/generate.ts`);
  for (const name of foreign) console.error(`${MANIFESTS}/${name} is not generated: move or remove it`);
  process.exitCode = stale.length + foreign.length > 0 ? 1 : 0;
} else {
  for (const [path, text] of stale) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true });
    writeFileSync(join(ROOT, path), text);
    console.log(`wrote ${path}`);
  }
}

function read(path: string): string | undefined {
  const file = join(ROOT, path);
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}
