/**
 * `npm run check`: everything that can be said about the sources without running them. All checks run, so that one run shows all
 * there is to mend; the exit code is 1 if any failed.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

interface Check {
  readonly name: string;
  readonly command: readonly string[];
}

const CHECKS: readonly Check[] = [
  { name: "types", command: ["tsc", "--noEmit", "-p", "tsconfig.json"] },
  { name: "pure folders see no platform", command: ["tsc", "--noEmit", "-p", "tsconfig.pure.json"] },
  { name: "format and lint", command: ["biome", "check", "--error-on-warnings", "."] },
  { name: "type-aware lint", command: ["oxlint", "--type-aware", "--deny-warnings"] },
  { name: "import rule", command: ["node", "tools/import-rule.ts"] },
  { name: "generated files are current", command: ["node", "tools/generate.ts", "--check"] },
];

let failed = 0;
for (const { name, command } of CHECKS) {
  const started = performance.now();
  const [program, ...args] = command as [string, ...string[]];
  const path = existsSync(`node_modules/.bin/${program}`) ? `node_modules/.bin/${program}` : program;
  const result = spawnSync(path, args, { encoding: "utf8", maxBuffer: 64 << 20 });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (result.status === 0) {
    console.log(`ok      ${name} (${seconds} s)`);
    continue;
  }
  failed++;
  console.log(`FAILED  ${name} (${seconds} s): ${command.join(" ")}`);
  console.log(result.error ? String(result.error) : `${result.stdout}${result.stderr}`.trimEnd());
}
console.log(failed === 0 ? `${CHECKS.length} checks passed` : `${failed} of ${CHECKS.length} checks failed`);
process.exitCode = failed === 0 ? 0 : 1;
