import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { COMMANDS } from "../cni/command.ts";
import { SystemError } from "../rpc/system-error.ts";
import type { Host } from "./host.ts";
import { runPlugin } from "./run.ts";

interface Situation {
  readonly env?: Record<string, string>;
  readonly input?: string | Uint8Array;
  /** What the socket does: an errno for connect, or one answer a connection; the last one is repeated. */
  readonly coild?: readonly (string | { status?: number; body: unknown } | Uint8Array | "hangs")[];
  readonly disk?: "full";
}

/** Runs the plugin on a platform of values; the answer is all that it did. */
async function run({ env = {}, input = "", coild = ["ENOENT"], disk }: Situation) {
  const files = new Map<string, string>();
  const calls: { path: string; body: unknown }[] = [];
  let [output, connections, now] = ["", 0, 0];
  const host: Host = {
    variable: (name) => env[name],
    clock: () => now,
    readInput: async () => (typeof input === "string" ? Buffer.from(input) : input),
    writeOutput: async (bytes) => {
      output += Buffer.from(bytes).toString();
    },
    connect: async () => {
      const step = coild[Math.min(connections++, coild.length - 1)] as string;
      if (typeof step === "string" && step !== "hangs") throw new SystemError(step, step);
      return connectionTo(step);
    },
    writeFile: async ({ folder, name }, bytes) => {
      if (disk === "full") throw new SystemError("ENOSPC", "write: no space left on device");
      files.set(`${folder}/${name}`, Buffer.from(bytes).toString());
    },
    removeFile: async ({ folder, name }) => void files.delete(`${folder}/${name}`),
  };
  const connectionTo = (step: unknown) => ({
    send: async (bytes: Uint8Array) => {
      const [head = "", body = ""] = Buffer.from(bytes).toString().split("\r\n\r\n");
      calls.push({ path: head.split(" ")[1] ?? "", body: JSON.parse(body) });
    },
    receive: async (timeoutMs: number) => {
      if (step instanceof Uint8Array) return step.length > 0 ? step : undefined;
      if (step !== "hangs") return Buffer.from(response(step as { status?: number; body: unknown }));
      now += timeoutMs;
      throw new SystemError("ETIMEDOUT", "timed out");
    },
    close: () => {},
  });
  const code = await runPlugin(host);
  return { code, output: output === "" ? undefined : JSON.parse(output), files, calls, elapsed: now };
}

function response({ status = 200, body }: { status?: number; body: unknown }): string {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return `HTTP/1.1 ${status} Reason\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

const CONFIG = { cniVersion: "1.1.0", name: "net", type: "coil" };
const RESULT = {
  cniVersion: "1.1.0",
  interfaces: [{ name: "eth0", mtu: 1500 }],
  ips: [{ address: "10.0.0.1/32", interface: 0 }],
  routes: [],
};
const ENV = { CNI_CONTAINERID: "c1", CNI_NETNS: "/run/netns/x", CNI_IFNAME: "eth0", CNI_ARGS: "K8S_POD_NAME=p" };
const env = (command: string, change: Record<string, string> = {}) => ({ ...ENV, CNI_COMMAND: command, ...change });
const input = (change: object = {}) => JSON.stringify({ ...CONFIG, ...change });

test("ADD passes everything on and answers in the version of the configuration", async () => {
  const config = { cniVersion: "0.3.1", unknown: [1, { a: null }] };
  const { code, output, calls } = await run({
    env: env("ADD", { CNI_PATH: "/bin" }),
    input: input(config),
    coild: [{ body: { result: RESULT } }],
  });
  assert.equal(code, 0);
  assert.deepEqual(output, {
    cniVersion: "0.3.1",
    interfaces: [{ name: "eth0" }],
    ips: [{ version: "4", address: "10.0.0.1/32", interface: 0 }],
    routes: [],
    dns: {},
  });
  const body = {
    cniVersion: "0.3.1",
    containerId: "c1",
    ifname: "eth0",
    netns: "/run/netns/x",
    args: { K8S_POD_NAME: "p" },
    path: "/bin",
    config: { ...CONFIG, ...config },
  };
  assert.deepEqual(calls, [{ path: "/v1/add", body }]);
});

test("ADD behind other plugins answers with their result if coild has none", async () => {
  const { output } = await run({ env: env("ADD"), input: input({ prevResult: RESULT }), coild: [{ body: {} }] });
  assert.deepEqual(output, { ...RESULT, dns: {} });
  const none = await run({ env: env("ADD"), input: input(), coild: [{ body: {} }] });
  assert.deepEqual(none.output, { cniVersion: "1.1.0", code: 999, msg: "coild answered the ADD without a result" });
});

test("ADD, CHECK and GC say which socket to look at when coild is down: 11", async () => {
  const more = { prevResult: RESULT, "cni.dev/valid-attachments": [], socket: "/run/x.sock" };
  for (const command of ["ADD", "CHECK", "GC"]) {
    for (const [errno, reason] of [
      ["ENOENT", "there is no such socket"],
      ["ECONNREFUSED", "nobody listens there"],
      ["EACCES", "permission denied"],
      ["ETIMEDOUT", "it took no connection in 60 s"],
      ["EMFILE", "EMFILE"],
    ] as const) {
      const { code, output } = await run({ env: env(command), input: input(more), coild: [errno] });
      assert.deepEqual([code, output.code, output.msg], [1, 11, `Cannot reach coild at /run/x.sock: ${reason}`]);
      assert.match(
        output.details,
        errno === "EACCES" ? /as root/ : /coild pod of this node is running and listens on \/run\/x\.sock/,
      );
    }
  }
});

test("errors of coild reach the runtime as they are", async () => {
  const failure = { code: 11, msg: "Cannot allocate an address for ns/p from pool default: the pool is full", details: "d" };
  for (const command of ["ADD", "DEL"]) {
    const { code, output, files } = await run({ env: env(command), input: input(), coild: [{ status: 503, body: failure }] });
    assert.deepEqual([code, output, files.size], [1, { cniVersion: "1.1.0", ...failure }, 0]);
  }
});

test("DEL while coild is down is kept for later, and is a success", async () => {
  const { code, output, files } = await run({
    env: env("DEL"),
    input: input({ socket: "/run/c.sock" }),
    coild: ["ECONNREFUSED"],
  });
  assert.deepEqual([code, output], [0, undefined]);
  const [[path, text]] = [...files] as [[string, string]];
  assert.equal(path, "/run/c.pending/c1:eth0.json");
  const { at, ...intent } = JSON.parse(text);
  assert.ok(Math.abs(Date.parse(at) - Date.now()) < 10_000);
  assert.deepEqual(intent, {
    containerId: "c1",
    ifname: "eth0",
    netns: "/run/netns/x",
    args: { K8S_POD_NAME: "p" },
    network: "net",
  });
});

test("DEL asks once more after the file is there, because coild may have come up in between", async () => {
  const back = await run({ env: env("DEL"), input: input(), coild: ["ENOENT", { body: {} }] });
  assert.deepEqual([back.code, back.files.size, back.calls.length], [0, 0, 1]);
  const starting = await run({
    env: env("DEL"),
    input: input(),
    coild: ["ENOENT", { status: 503, body: { code: 11, msg: "starting" } }],
  });
  assert.deepEqual([starting.code, starting.files.size, starting.output.code], [1, 1, 11]);
});

test("DEL that can neither be done nor be kept fails with 11", async () => {
  const { code, output } = await run({ env: env("DEL"), input: input(), disk: "full" });
  assert.deepEqual([code, output.code], [1, 11]);
  assert.equal(
    output.msg,
    "Cannot reach coild at /run/coild.sock: there is no such socket, and the DEL cannot be kept for later",
  );
  assert.match(output.details, /\/run\/coild\.pending\/c1:eth0\.json: write: no space left/);
});

test("DEL needs neither namespace nor sound arguments nor a readable previous result", async () => {
  const broken = { prevResult: { ips: "x" } };
  const { code, calls } = await run({
    env: env("DEL", { CNI_NETNS: "", CNI_ARGS: "?" }),
    input: input(broken),
    coild: [{ body: {} }],
  });
  assert.deepEqual(
    [code, calls],
    [0, [{ path: "/v1/del", body: { cniVersion: "1.1.0", containerId: "c1", ifname: "eth0", args: {}, config: CONFIG } }]],
  );
});

test("a coild that hangs gives 11 after the time that the configuration allows, and 50 to STATUS after 5 s", async () => {
  for (const command of ["ADD", "DEL"]) {
    const { output, files, elapsed } = await run({ env: env(command), input: input({ timeout: 7 }), coild: ["hangs"] });
    assert.deepEqual([output.code, output.msg, files.size, elapsed], [11, "coild did not answer in 7 s", 0, 7000]);
  }
  const { output, elapsed } = await run({ env: env("STATUS"), input: input(), coild: ["hangs"] });
  assert.deepEqual([output.code, output.msg, elapsed], [50, "coild did not answer in 5 s", 5000]);
});

test("answers that are none say what is wrong with them", async () => {
  for (const [answer, code, message] of [
    [Buffer.from("hello\r\n"), 999, /^Cannot read the answer of coild: not an HTTP response/],
    [Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\xff", "latin1"), 999, /Not UTF-8/],
    [{ body: "{" }, 6, /^Cannot read the answer of coild as JSON/],
    [{ body: "[]" }, 6, /^Cannot read the answer of coild: want an object/],
    [{ body: { result: { ips: 1 } } }, 6, /^Cannot read the result of coild\.ips/],
    [{ status: 500, body: "<html>" }, 999, /^coild answered with HTTP status 500 and no reason$/],
    [Buffer.alloc(0), 11, /^Lost the connection to coild: the connection ended/],
  ] as const) {
    const { output } = await run({ env: env("ADD"), input: input(), coild: [answer] });
    assert.equal(output.code, code);
    assert.match(output.msg, message);
  }
});

test("STATUS tells 50 from 51", async () => {
  const ask = async (coild: NonNullable<Situation["coild"]>[number]) => {
    const { code, output } = await run({ env: { CNI_COMMAND: "STATUS" }, input: input(), coild: [coild] });
    return code === 0 ? "ready" : `${output.code} ${output.msg}`;
  };
  assert.equal(await ask({ body: { ready: true } }), "ready");
  assert.equal(
    await ask({ body: { ready: false, reason: "the API server is away" } }),
    "50 coild is not ready: the API server is away",
  );
  assert.equal(
    await ask({ body: { ready: false, reason: "no routes", limitedConnectivity: true } }),
    "51 coild is not ready: no routes",
  );
  assert.equal(await ask("ENOENT"), "50 Cannot reach coild at /run/coild.sock: there is no such socket");
  assert.equal(await ask("EACCES"), "50 Cannot reach coild at /run/coild.sock: permission denied");
});

test("VERSION repeats the version of the request, and takes anything for one", async () => {
  const ask = async (text: string) => (await run({ env: { CNI_COMMAND: "VERSION" }, input: text })).output;
  const supportedVersions = ["0.3.1", "0.4.0", "1.0.0", "1.1.0"];
  assert.deepEqual(await ask('{"cniVersion":"0.4.0"}'), { cniVersion: "0.4.0", supportedVersions });
  for (const text of ["", "{}", "garbage", "null"]) assert.deepEqual(await ask(text), { cniVersion: "1.1.0", supportedVersions });
});

test("the configuration is checked before coild is asked", async () => {
  for (const [command, text, version, code] of [
    ["ADD", "", "1.1.0", 6],
    ["ADD", "{", "1.1.0", 6],
    ["ADD", "[".repeat(100_000), "1.1.0", 6],
    ["ADD", new Uint8Array([0xff]), "1.1.0", 6],
    ["ADD", new Uint8Array(4 * 1024 * 1024 + 1), "1.1.0", 6],
    ["ADD", input({ cniVersion: "0.2.0" }), "1.1.0", 1],
    ["CHECK", input({ cniVersion: "0.3.1" }), "0.3.1", 1],
    ["CHECK", input({ cniVersion: "0.4.0" }), "0.4.0", 7],
    ["STATUS", input({ cniVersion: "1.0.0" }), "1.0.0", 1],
    ["GC", input({ cniVersion: "1.0.0" }), "1.0.0", 1],
    ["GC", input(), "1.1.0", 7],
    ["ADD", input({ name: "a/b" }), "1.1.0", 7],
  ] as const) {
    const result = await run({ env: env(command), input: text, coild: [{ body: {} }] });
    assert.deepEqual([result.code, result.output.cniVersion, result.output.code, result.calls.length], [1, version, code, 0]);
  }
});

test("whatever comes in, the plugin ends with a code and one document", async () => {
  const anything = fc.record({
    env: fc
      .dictionary(
        fc.constantFrom("CNI_COMMAND", ...Object.keys(ENV)),
        fc.oneof(fc.string(), fc.constantFrom(...COMMANDS, "/a", "x")),
      )
      .map((change) => ({ ...env("ADD"), ...change })),
    input: fc.oneof(
      fc.uint8Array(),
      fc.json(),
      fc.constant(input()),
      fc.constant(input({ prevResult: RESULT, "cni.dev/valid-attachments": [] })),
    ),
    coild: fc.array(
      fc.oneof(
        fc.constantFrom("ENOENT", "EIO", "hangs"),
        fc.uint8Array(),
        fc.record({ body: fc.oneof(fc.jsonValue(), fc.constant({ result: RESULT })) }),
      ),
      { minLength: 1, maxLength: 3 },
    ),
    disk: fc.constantFrom("full" as const, undefined),
  });
  await fc.assert(
    fc.asyncProperty(anything, async ({ disk, ...situation }) => {
      const { code, output } = await run(disk ? { ...situation, disk } : situation);
      if (code === 1)
        assert.deepEqual([typeof output.code, typeof output.msg, typeof output.cniVersion], ["number", "string", "string"]);
    }),
    { numRuns: 500 },
  );
});
