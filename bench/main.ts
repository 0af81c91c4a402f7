/**
 * `npm run bench` measures everything and keeps the results in bench/results; `npm run bench -- plugin grants` measures the named groups
 * and keeps nothing. As root, in namespaces of its own, in less than ten minutes. COIL_BENCH_PEERS may name a folder with the programs
 * of another implementation.
 */
import { existsSync } from "node:fs";
import { ensureDebianPackages } from "../lab/machine/debian-packages.ts";
import { createTemporaryDirectory } from "../test/support/temporary-directory.ts";
import type { BenchGroup } from "./group.ts";
import { addGroup } from "./groups/add.ts";
import { coildGroup } from "./groups/coild.ts";
import { grantsGroup } from "./groups/grants.ts";
import { pluginGroup } from "./groups/plugin.ts";
import { routesGroup } from "./groups/routes.ts";
import { describeMachine } from "./measure/machine.ts";
import type { BenchResult, GroupResult } from "./report/result.ts";
import { saveResult } from "./report/save.ts";
import { printGroup } from "./report/table.ts";

const GROUPS: readonly BenchGroup[] = [pluginGroup, addGroup, coildGroup, grantsGroup, routesGroup];

const NEEDS = [
  { file: "cc", package: "gcc" },
  { file: "/usr/include/linux/rtnetlink.h", package: "linux-libc-dev" },
  { file: "/usr/include/stdlib.h", package: "libc6-dev" },
  { file: "ip", package: "iproute2" },
  { file: "nsenter", package: "util-linux" },
  { file: "/usr/lib/cni/ptp", package: "containernetworking-plugins" },
];

const log = (line: string) => console.error(`==> ${line}`);

async function main(names: readonly string[]): Promise<void> {
  const unknown = names.filter((name) => !GROUPS.some((group) => group.name === name));
  if (unknown.length > 0)
    throw new Error(`No such group: ${unknown.join(", ")}. There are: ${GROUPS.map(({ name }) => name).join(" ")}`);
  if (process.getuid?.() !== 0) throw new Error("The benchmarks make network namespaces: run them as root.");
  const peers = process.env["COIL_BENCH_PEERS"];
  if (peers && !existsSync(peers)) throw new Error(`COIL_BENCH_PEERS names the folder ${peers}, which is not there`);
  ensureDebianPackages(NEEDS, log);
  const machine = describeMachine();
  log(`${machine.cpus} × ${machine.cpu}, kernel ${machine.kernel}, load ${machine.loadBefore}`);
  const at = new Date().toISOString();
  await using directory = await createTemporaryDirectory("coil-bench-");
  const results: GroupResult[] = [];
  for (const group of GROUPS.filter(({ name }) => names.length === 0 || names.includes(name))) {
    log(`${group.name}: ${group.title}`);
    const started = performance.now();
    const figures = await group.run({ folder: directory.path, peers: peers || undefined, log });
    const result = { name: group.name, title: group.title, seconds: (performance.now() - started) / 1000, figures };
    printGroup(result);
    results.push(result);
  }
  if (names.length > 0) return;
  const complete: BenchResult = { at, machine, groups: results };
  for (const file of await saveResult(complete)) console.log(`\nwrote ${file}`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exitCode = 1;
}
