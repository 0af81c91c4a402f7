/**
 * How long one call of the plugin takes, from start to answer, against a server that does nothing: `node bench/plugin.ts [RUNS]`.
 * Compare the lines of one run with each other; the first is what starting any process costs here.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { buildPlugin } from "../plugin/build.ts";
import { nodeForm } from "../test/support/run-coil.ts";
import { standInCoild } from "../test/support/stand-in-coild.ts";

const RUNS = Number(process.argv[2] ?? 200);
const ROUNDS = 5;
/** A plugin in Go, of Debian's containernetworking-plugins, for comparison. */
const GO_PLUGIN = "/usr/lib/cni/portmap";

const result = {
  cniVersion: "1.1.0",
  interfaces: [{ name: "eth0", mac: "02:00:00:00:00:01", mtu: 1500, sandbox: "/run/netns/x" }],
  ips: [{ address: "10.64.0.1/32", interface: 0 }],
};

/** Milliseconds a run, out of a loop in a shell. */
async function measure(runs: number, command: readonly string[], env: Record<string, string>, input: string): Promise<number> {
  const script = `i=0; while [ $i -lt ${runs} ]; do "$@" <"$INPUT" >/dev/null || exit 1; i=$((i+1)); done`;
  const started = performance.now();
  await promisify(execFile)("sh", ["-c", script, "sh", ...command], { env: { ...env, INPUT: input } });
  return (performance.now() - started) / runs;
}

const binary = await buildPlugin({ log: console.error });
await using server = await standInCoild(({ path }) => (path === "/v1/add" ? { result } : {}));
const input = join(server.folder, "config.json");
await writeFile(input, JSON.stringify({ cniVersion: "1.0.0", name: "net", type: "coil", socket: server.socket }));
const args = "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0";
const add = { CNI_COMMAND: "ADD", CNI_CONTAINERID: "c1", CNI_NETNS: "/run/netns/x", CNI_IFNAME: "eth0", CNI_ARGS: args };
const cases = [
  { name: "/bin/true", runs: RUNS, command: ["/bin/true"], env: add },
  { name: "coil VERSION", runs: RUNS, command: [binary], env: { CNI_COMMAND: "VERSION" } },
  { name: "coil ADD", runs: RUNS, command: [binary], env: add },
  { name: "Go plugin VERSION", runs: RUNS, command: [GO_PLUGIN], env: { CNI_COMMAND: "VERSION" } },
  { name: "coil in Node ADD", runs: Math.ceil(RUNS / 40), command: nodeForm.command, env: add },
].filter(({ command }) => existsSync(command[0] as string));

const times = new Map(cases.map(({ name }) => [name, [] as number[]]));
for (let round = 0; round < ROUNDS; round++) {
  for (const { name, runs, command, env } of cases) times.get(name)?.push(await measure(runs, command, env, input));
}
for (const [name, list] of times) {
  const sorted = list.sort((a, b) => a - b);
  console.log(`${name.padEnd(18)} ${sorted[ROUNDS >> 1]?.toFixed(2).padStart(8)} ms a run (median of ${ROUNDS} rounds)`);
}
