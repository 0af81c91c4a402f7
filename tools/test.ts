/**
 * `npm test [-- GROUP...] [-- --name PATTERN] [PATH...]`: every test, group by group, after the set-up that it needs.
 * Tests of pure code and of the kernel run side by side; those that start a control plane or a whole cluster run one after the other,
 * because the machine that matters has two cores. A skipped test counts as failed: a proof that did not run is none.
 */
import { globSync } from "node:fs";
import { run } from "node:test";
import { inspect, parseArgs } from "node:util";
import { takeSnapshot } from "./leftovers.ts";
import { ensureTestTools } from "./test-tools.ts";

interface Group {
  readonly name: string;
  readonly files: (file: string) => boolean;
  readonly concurrency: number;
  readonly timeoutMs: number;
}

const kindOf = (file: string) => /\.(kernel|api|e2e|vm)\.test\.ts$/.exec(file)?.[1] ?? "unit";

const GROUPS: readonly Group[] = [
  { name: "unit", files: (file) => kindOf(file) === "unit", concurrency: 2, timeoutMs: 120_000 },
  { name: "kernel", files: (file) => kindOf(file) === "kernel", concurrency: 2, timeoutMs: 300_000 },
  { name: "api", files: (file) => kindOf(file) === "api", concurrency: 1, timeoutMs: 600_000 },
  { name: "e2e", files: (file) => kindOf(file) === "e2e", concurrency: 1, timeoutMs: 1_200_000 },
];

interface Totals {
  passed: number;
  failed: number;
}

/** Runs the files of one group and prints a line a file, and each failure whole. */
async function runGroup(group: Group, files: string[], namePatterns: string[]): Promise<Totals> {
  const totals: Totals = { passed: 0, failed: 0 };
  const byFile = new Map<string, Totals & { ms: number }>();
  const count = (file: string | undefined) => {
    const key = file?.replace(`${process.cwd()}/`, "") ?? "(unknown file)";
    const entry = byFile.get(key) ?? { passed: 0, failed: 0, ms: 0 };
    byFile.set(key, entry);
    return { key, entry };
  };
  const started = performance.now();
  const stream = run({
    files,
    concurrency: group.concurrency,
    timeout: group.timeoutMs,
    ...(namePatterns.length > 0 ? { testNamePatterns: namePatterns } : {}),
  });
  stream.on("test:pass", (event) => {
    const { key, entry } = count(event.file);
    const whole = event.nesting === 0 && event.name.endsWith(key);
    if (whole || event.details.type === "suite") return;
    if (event.skip !== undefined || event.todo !== undefined) {
      entry.failed++;
      console.log(`  NOT RUN ${key}: ${event.name} (${event.skip ?? event.todo})`);
    } else {
      entry.passed++;
      entry.ms += event.details.duration_ms;
    }
  });
  stream.on("test:fail", (event) => {
    const { key, entry } = count(event.file);
    const cause = event.details.error.cause ?? event.details.error;
    // A suite or a file that fails only because of a test inside it was told about already.
    if (/subtests? failed/.test(String(event.details.error.message)) && entry.failed > 0) return;
    entry.failed++;
    console.log(`  FAILED  ${key}: ${event.name}\n${indent(inspect(cause, { depth: 6 }))}`);
  });
  stream.on("test:stderr", (event) => process.env["TEST_OUTPUT"] && process.stderr.write(event.message));
  stream.on("test:stdout", (event) => process.env["TEST_OUTPUT"] && process.stdout.write(event.message));
  for await (const _ of stream) {
    // The handlers above see each event; the loop ends with the run.
  }
  for (const [file, { passed, failed, ms }] of [...byFile].sort()) {
    totals.passed += passed;
    totals.failed += failed;
    if (passed + failed > 0)
      console.log(
        `  ${failed ? "FAILED" : "ok    "}  ${file}: ${passed} passed${failed ? `, ${failed} failed` : ""} (${seconds(ms)})`,
      );
  }
  for (const file of files) {
    if (![...byFile.keys()].some((key) => file.endsWith(key) || key.endsWith(file)) && namePatterns.length === 0) {
      console.log(`  FAILED  ${file}: reported no test`);
      totals.failed++;
    }
  }
  console.log(`  ${group.name}: ${totals.passed} passed, ${totals.failed} failed in ${seconds(performance.now() - started)}`);
  return totals;
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
const indent = (text: string) => text.replaceAll(/^/gm, "          ");

const { values, positionals } = parseArgs({
  options: { name: { type: "string", multiple: true, default: [] } },
  allowPositionals: true,
});
const wanted = GROUPS.filter(({ name }) => positionals.includes(name));
const paths = positionals.filter((word) => !GROUPS.some(({ name }) => name === word));
const all = globSync("{src,bin,plugin,lab,test,tools,bench}/**/*.test.ts").sort();
const chosen = all.filter((file) => paths.length === 0 || paths.some((path) => file.includes(path)));

const groups = (wanted.length > 0 ? wanted : GROUPS)
  .map((group) => ({ group, files: chosen.filter(group.files) }))
  .filter(({ files }) => files.length > 0);

await ensureTestTools(groups.map(({ group }) => group.name));
const before = takeSnapshot();
const totals: Totals = { passed: 0, failed: 0 };
for (const { group, files } of groups) {
  console.log(`==> ${group.name} tests (${files.length} files)`);
  const result = await runGroup(group, files, values.name);
  totals.passed += result.passed;
  totals.failed += result.failed;
  for (const leftover of before.leftovers()) {
    console.log(`  FAILED  the ${group.name} tests left behind ${leftover}`);
    totals.failed++;
  }
}
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exit(totals.failed === 0 && totals.passed > 0 ? 0 : 1);
