import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { realClock } from "./clock.ts";
import { runTogether } from "./run.ts";

/** Runs a program in a process of its own; `body` is the text of its main function. */
function startProgram(body: string, argv: readonly string[] = []) {
  const run = new URL("./run.ts", import.meta.url).href;
  const definition = "name: 'coil-test', purpose: 'Tests.', flags: {}, argv: process.argv.slice(1), graceMs: 300";
  const source = `import { runProgram } from ${JSON.stringify(run)}; await runProgram({ ${definition} }, async ({ signal, log }) => { ${body} });`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", source, "--", ...argv], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (output += text));
  const closed = once(child, "close").then(([code, signal]) => ({ code: code ?? signal, output }));
  const logged = async (text: string) => {
    while (!output.includes(text)) await once(child.stderr, "data");
  };
  return { child, closed, logged };
}

const WAIT =
  "log.info('waiting'); await new Promise((resolve) => { const t = setInterval(() => {}, 1000); signal.addEventListener('abort', () => { clearInterval(t); resolve(); }); });";

test("runProgram() ends with 0 after SIGTERM when main ends", async () => {
  const program = startProgram(WAIT, ["--zap-stacktrace-level=panic"]);
  await program.logged("waiting");
  program.child.kill("SIGTERM");
  const { code, output } = await program.closed;
  assert.equal(code, 0);
  const messages = output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).msg);
  assert.deepStrictEqual(messages, ["starting", "these flags have no effect", "waiting", "stopping", "stopped"]);
});

test("runProgram() ends with 1 when main fails, when a promise is lost, and when main does not end in time", async () => {
  const failing = await startProgram("throw new Error('Cannot go on', { cause: new Error('the cause') })").closed;
  assert.equal(failing.code, 1);
  assert.match(failing.output, /"level":"fatal".*the cause.*"msg":"failed"/);
  const lost = await startProgram("void Promise.reject(new Error('lost')); await new Promise((r) => setTimeout(r, 5000));")
    .closed;
  assert.equal(lost.code, 1);
  assert.match(lost.output, /unexpected failure/);
  const stuck = startProgram("log.info('waiting'); await new Promise(() => setInterval(() => {}, 1000));");
  await stuck.logged("waiting");
  stuck.child.kill("SIGINT");
  const { code, output } = await stuck.closed;
  assert.equal(code, 1);
  assert.match(output, /"grace":"300ms","msg":"did not stop in time"/);
});

test("runProgram() prints help and version, and refuses unknown flags with 2", async () => {
  const [help, version, unknown] = await Promise.all([
    startProgram("", ["--help"]).closed,
    startProgram("", ["--version"]).closed,
    startProgram("", ["--bogus"]).closed,
  ]);
  assert.equal(help.code, 0);
  assert.match(help.output, /^Tests\.\n\nUsage: coil-test \[flags\]/);
  assert.equal(version.code, 0);
  assert.match(version.output, /^coil-test [0-9.]+\n$/);
  assert.deepStrictEqual(unknown, { code: 2, output: "coil-test: unknown flag --bogus. See coil-test --help\n" });
});

test("runTogether() ends all parts when one fails, and throws its failure", async () => {
  const ended: string[] = [];
  const forever = async (signal: AbortSignal) => {
    try {
      await realClock.sleep(60_000, { signal });
    } finally {
      ended.push("forever");
    }
  };
  const failing = async () => {
    throw new Error("broken");
  };
  await assert.rejects(runTogether(new AbortController().signal, [forever, failing]), /broken/);
  assert.deepStrictEqual(ended, ["forever"]);
});

test("runTogether() ends quietly when the signal is aborted", async () => {
  const controller = new AbortController();
  const running = runTogether(controller.signal, [
    (signal) => realClock.sleep(60_000, { signal }),
    (signal) => realClock.sleep(60_000, { signal }),
  ]);
  controller.abort(new Error("enough"));
  await running;
});
