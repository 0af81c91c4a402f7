/** The plugin as a process: one suite for the static file and for the same code in Node. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import test from "node:test";
import { nodeForm, type PluginForm, runCoil, staticForm } from "../support/run-coil.ts";
import { type StandIn, standInCoild, standInSocket } from "../support/stand-in-coild.ts";
import { createTemporaryDirectory } from "../support/temporary-directory.ts";

const ENV = {
  CNI_CONTAINERID: "0123456789abcdef",
  CNI_NETNS: "/run/netns/cni-ü",
  CNI_IFNAME: "eth0",
  CNI_ARGS: "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0;K8S_POD_INFRA_CONTAINER_ID=0123;K8S_POD_UID=u-1",
  CNI_PATH: "/opt/cni/bin",
};
const env = (command: string, change: Record<string, string> = {}) => ({ ...ENV, CNI_COMMAND: command, ...change });
const RESULT = {
  cniVersion: "1.1.0",
  interfaces: [
    { name: "eth0", mac: "02:00:00:00:00:01", mtu: 1500, sandbox: "/run/netns/cni-ü" },
    { name: "veth0", mac: "02:00:00:00:00:02", mtu: 1500 },
  ],
  ips: [
    { address: "10.64.0.1/32", interface: 0 },
    { address: "fd02::1/128", interface: 0 },
  ],
  routes: [{ dst: "0.0.0.0/0", gw: "169.254.1.1" }],
};
const config = ({ socket }: { socket: string }, change: object = {}) => ({
  cniVersion: "1.1.0",
  name: "net",
  type: "coil",
  socket,
  ...change,
});
const coild = () =>
  standInCoild(({ path }) => (path === "/v1/add" ? { result: RESULT } : path === "/v1/status" ? { ready: true } : {}));

/** CNI versions, oldest first, and what becomes of each command. */
const VERSIONS = {
  "0.3.0": "ADD 1, DEL 1, CHECK 1, STATUS 1, GC 1, VERSION ok",
  "0.3.1": "ADD ok, DEL ok, CHECK 1, STATUS 1, GC 1, VERSION ok",
  "0.4.0": "ADD ok, DEL ok, CHECK ok, STATUS 1, GC 1, VERSION ok",
  "1.0.0": "ADD ok, DEL ok, CHECK ok, STATUS 1, GC 1, VERSION ok",
  "1.1.0": "ADD ok, DEL ok, CHECK ok, STATUS ok, GC ok, VERSION ok",
  "1.2.0": "ADD 1, DEL 1, CHECK 1, STATUS 1, GC 1, VERSION ok",
};

const forms: PluginForm[] = [await staticForm(), nodeForm];

for (const form of forms) {
  test(`${form.name}: every command of every version`, async () => {
    await using server = await coild();
    const table: Record<string, string> = {};
    for (const cniVersion of Object.keys(VERSIONS).slice(form === nodeForm ? -2 : 0)) {
      const cells: string[] = [];
      for (const command of ["ADD", "DEL", "CHECK", "STATUS", "GC", "VERSION"]) {
        const input = config(server, {
          cniVersion,
          prevResult: command === "CHECK" ? RESULT : undefined,
          "cni.dev/valid-attachments": [],
        });
        const { code, output } = await runCoil(form, { env: env(command), input });
        assert.equal(code, output?.code === undefined ? 0 : 1);
        cells.push(`${command} ${output?.code ?? "ok"}`);
        if (command === "ADD" && code === 0)
          assert.deepEqual(
            [output?.cniVersion, output?.ips?.[1]?.version, output?.interfaces?.[0]?.mtu],
            [cniVersion, cniVersion < "1" ? "6" : undefined, cniVersion === "1.1.0" ? 1500 : undefined],
          );
        if (command === "VERSION") assert.equal(output?.cniVersion, cniVersion);
      }
      table[cniVersion] = cells.join(", ");
    }
    const expected = Object.entries(VERSIONS).filter(([version]) => version in table);
    assert.deepEqual(table, Object.fromEntries(expected));
    const add = server.calls.find(({ path, body }) => path === "/v1/add" && body.cniVersion === "1.1.0");
    assert.deepEqual(
      [add?.body.netns, add?.body.args?.["K8S_POD_NAME"], add?.body.path],
      ["/run/netns/cni-ü", "web-0", "/opt/cni/bin"],
    );
  });

  test(`${form.name}: an environment that is not complete or not possible gives 4`, async () => {
    for (const change of [
      { CNI_COMMAND: "" },
      { CNI_COMMAND: "UPDATE" },
      { CNI_CONTAINERID: "" },
      { CNI_NETNS: "" },
      { CNI_IFNAME: "" },
      { CNI_IFNAME: "a/b" },
      { CNI_CONTAINERID: "../x" },
      { CNI_ARGS: "FOO=1" },
    ]) {
      const { code, output } = await runCoil(form, { env: env("ADD", change), input: "{}" });
      assert.deepEqual([code, output?.code], [1, 4], JSON.stringify(change));
    }
  });

  test(`${form.name}: input that is empty, garbage, deep or huge gives 6`, async () => {
    const huge = Buffer.alloc(5 * 1024 * 1024, " ");
    for (const input of ["", "{", "\xff", Uint8Array.of(0xff, 0xfe), "[".repeat(100_000), huge, "null"]) {
      const { code, output } = await runCoil(form, { env: env("ADD"), input });
      assert.deepEqual([code, output?.code, output?.cniVersion], [1, 6, "1.1.0"]);
    }
  });

  test(`${form.name}: requests and answers of megabytes get through, in chunks and with letters of all lengths`, async () => {
    const routes = Array.from({ length: 30_000 }, (_, i) => ({ dst: `10.${i >> 8}.${i & 255}.0/24`, gw: "169.254.1.1" }));
    const details = "ä€😀".repeat(100_000);
    await using server = await standInCoild(async ({ body }, _, response) => {
      assert.equal((body.config["blob"] as string).length, details.length);
      const whole = Buffer.from(JSON.stringify({ result: { ...RESULT, routes } }));
      response.writeHead(200, { "content-type": "application/json" });
      for (let start = 0; start < whole.length; start += 99_991) response.write(whole.subarray(start, start + 99_991));
      response.end();
      return undefined;
    });
    const { code, output } = await runCoil(form, { env: env("ADD"), input: config(server, { blob: details }) });
    assert.deepEqual([code, output?.routes?.length, output?.routes?.at(-1)], [0, 30_000, routes.at(-1)]);
    await using failing = await standInCoild(() => ({ status: 500, document: { code: 999, msg: "m", details } }));
    assert.equal((await runCoil(form, { env: env("ADD"), input: config(failing) })).output?.details, details);
  });

  test(`${form.name}: a server that answers without having read the request is heard`, async () => {
    const body = '{"code":7,"msg":"too large"}';
    await using server = await standInSocket((socket) => {
      socket.end(`HTTP/1.1 413 Too Large\r\nContent-Length: ${body.length}\r\n\r\n${body}`, () => socket.destroy());
    });
    const { output } = await runCoil(form, { env: env("ADD"), input: config(server, { blob: "x".repeat(1_000_000) }) });
    // Node drops what it has not read when a write fails; then trying again is the answer.
    assert.equal(output?.code, form === nodeForm ? 11 : 7, JSON.stringify(output));
  });

  test(`${form.name}: a server that dies in the middle, at any byte, gives 11`, async () => {
    const whole = Buffer.from(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`);
    let length = 0;
    await using server = await standInSocket((socket) => socket.once("data", () => socket.end(whole.subarray(0, length))));
    for (const at of form === nodeForm ? [0, 48] : [0, 1, 17, 46, 48, 52, whole.length - 1]) {
      length = at;
      const { code, output } = await runCoil(form, { env: env("DEL"), input: config(server) });
      assert.deepEqual([code, output?.code], [1, 11], `${at} bytes`);
    }
    length = whole.length;
    assert.equal((await runCoil(form, { env: env("DEL"), input: config(server) })).code, 0);
    assert.deepEqual(readdirSync(server.folder), ["coild.sock"]);
  });

  test(`${form.name}: a server that hangs or dribbles gives 11 when the time is up`, async () => {
    await using silent = await standInSocket(() => {});
    await using dribbling = await standInSocket((socket) => {
      const timer = setInterval(() => socket.write("x"), 50);
      socket.write("HTTP/1.1 200 OK\r\nX: ");
      socket.once("close", () => clearInterval(timer));
    });
    for (const server of [silent, dribbling]) {
      const { code, output, ms } = await runCoil(form, { env: env("ADD"), input: config(server, { timeout: 1 }) });
      assert.deepEqual([code, output?.code, output?.msg], [1, 11, "coild did not answer in 1 s"]);
      assert.ok(ms >= 990 && ms < 3000, `${ms} ms`);
    }
  });

  test(`${form.name}: a plugin that is killed closes its connection at once`, async () => {
    const closed = Promise.withResolvers<void>();
    const abort = new AbortController();
    await using server = await standInCoild((_, request) => {
      request.socket.once("close", () => closed.resolve());
      abort.abort();
      return undefined;
    });
    await runCoil(form, { env: env("ADD"), input: config(server), signal: abort.signal });
    await closed.promise;
  });

  test(`${form.name}: without coild ADD, CHECK and GC give 11, STATUS 50, and DEL leaves a file`, async () => {
    await using directory = await createTemporaryDirectory("coil-down-");
    const socket = join(directory.path, "run/coild.sock");
    const down = config({ socket }, { prevResult: RESULT, "cni.dev/valid-attachments": [] });
    for (const [command, expected] of [
      ["ADD", 11],
      ["CHECK", 11],
      ["GC", 11],
      ["STATUS", 50],
    ] as const) {
      const { code, output } = await runCoil(form, { env: env(command), input: down });
      assert.deepEqual(
        [code, output?.code, output?.msg],
        [1, expected, `Cannot reach coild at ${socket}: there is no such socket`],
      );
    }
    const folder = join(directory.path, "run/coild.pending");
    for (const change of [{}, {}, { CNI_NETNS: "" }, { CNI_IFNAME: "net1" }]) {
      const { code, output } = await runCoil(form, { env: env("DEL", change), input: down });
      assert.deepEqual([code, output], [0, undefined]);
    }
    assert.deepEqual(readdirSync(folder).sort(), ["0123456789abcdef:eth0.json", "0123456789abcdef:net1.json"]);
    const { at, ...intent } = JSON.parse(readFileSync(join(folder, "0123456789abcdef:eth0.json"), "utf8"));
    assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000);
    assert.deepEqual(
      [intent.containerId, intent.ifname, intent.netns, intent.network, intent.args.K8S_POD_UID],
      ["0123456789abcdef", "eth0", undefined, "net", "u-1"],
    );
    assert.deepEqual(
      [statSync(folder).mode & 0o777, statSync(join(folder, "0123456789abcdef:eth0.json")).mode & 0o777],
      [0o700, 0o600],
    );
  });

  test(`${form.name}: a socket that nobody listens on is a coild that is down, and one that may not be used is not`, async () => {
    await using server = await coild();
    const left = join(server.folder, "left.sock");
    writeFileSync(left, "");
    const refused = await runCoil(form, { env: env("ADD"), input: config({ socket: left }) });
    assert.deepEqual([refused.output?.code, refused.output?.msg], [11, `Cannot reach coild at ${left}: nobody listens there`]);
    const denied = await runCoil(form, { env: env("DEL"), input: config(server), uid: 65534 });
    assert.deepEqual(
      [denied.output?.code, denied.output?.msg, denied.output?.details],
      [11, `Cannot reach coild at ${server.socket}: permission denied`, "run the plugin as root"],
    );
  });

  test(`${form.name}: a DEL that cannot be kept fails with 11`, async () => {
    await using server = await coild();
    const file = join(server.folder, "file");
    writeFileSync(file, "");
    const { code, output } = await runCoil(form, { env: env("DEL"), input: config({ socket: `${file}/coild.sock` }) });
    assert.deepEqual([code, output?.code], [1, 11]);
    assert.match(output?.details ?? "", /cannot write .*\/file\/coild\.pending\/0123456789abcdef:eth0\.json: /);
  });

  test(`${form.name}: a closed standard output is exit code 1, not a signal`, async () => {
    await using server = await coild();
    const shell = (script: string): PluginForm => ({ name: "sh", command: ["/bin/sh", "-c", script, "sh", ...form.command] });
    // Node puts /dev/null in the place of a closed descriptor.
    for (const script of form === nodeForm ? ['exec "$@" >/dev/full'] : ['exec "$@" >&-', 'exec "$@" >/dev/full']) {
      const { code, killedBy, output } = await runCoil(shell(script), { env: env("ADD"), input: config(server) });
      assert.deepEqual([code, killedBy, output], [1, null, undefined], script);
    }
    const broken = shell('{ "$@"; echo $? >&2; } | true');
    const { errorText } = await runCoil(broken, { env: env("ADD"), input: config(server) });
    // The reader may be gone before or after the few bytes are written into the pipe.
    assert.match(errorText, /^[01]\n$/);
  });
}

test("static file: fifty at once are all answered", async () => {
  await using server = await coild();
  const form = forms[0] as PluginForm;
  const runs = Array.from({ length: 50 }, (_, i) =>
    runCoil(form, { env: env("ADD", { CNI_CONTAINERID: `c${i}` }), input: config(server) }),
  );
  assert.ok((await Promise.all(runs)).every(({ code, output }) => code === 0 && output?.ips?.length === 2));
  assert.equal(new Set(server.calls.map(({ body }) => body.containerId)).size, 50);
});

test("static file: VERSION needs no standard input, and without it the others give 5", async () => {
  const form = forms[0] as PluginForm;
  const bare: PluginForm = { name: "sh", command: ["/bin/sh", "-c", 'exec "$0" <&- 2>&-', ...form.command] };
  const { code, output } = await runCoil(bare, { env: env("VERSION"), input: "" });
  assert.deepEqual([code, output?.cniVersion], [0, "1.1.0"]);
  const add = await runCoil(bare, { env: env("ADD"), input: "" });
  assert.deepEqual(
    [add.code, add.output?.code, add.output?.msg],
    [1, 5, "Cannot read standard input: read: Bad file descriptor"],
  );
});

test("static file: a listener whose queue is full gives 11 when the time is up", async () => {
  await using server = await fullQueue();
  const { code, output, ms } = await runCoil(forms[0] as PluginForm, { env: env("ADD"), input: config(server, { timeout: 1 }) });
  assert.deepEqual(
    [code, output?.code, output?.msg],
    [1, 11, `Cannot reach coild at ${server.socket}: it took no connection in 1 s`],
  );
  assert.ok(ms >= 990 && ms < 3000, `${ms} ms`);
});

/** A socket whose listener accepts nothing, and whose queue holds as many connections as it can. */
async function fullQueue(): Promise<Pick<StandIn, "socket"> & AsyncDisposable> {
  const directory = await createTemporaryDirectory("coil-full-");
  const socket = join(directory.path, "coild.sock");
  const script = `require("node:net").createServer().listen({path: ${JSON.stringify(socket)}, backlog: 1}, () => { process.stdout.write("up"); setTimeout(() => process.kill(process.pid, "SIGSTOP"), 10); })`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  while (!/^State:\s+T/m.test(readFileSync(`/proc/${child.pid}/status`, "utf8")))
    await new Promise((resolve) => setTimeout(resolve, 5));
  const waiting = Array.from({ length: 3 }, () => createConnection(socket).on("error", () => {}));
  await new Promise((resolve) => setTimeout(resolve, 50));
  return {
    socket,
    async [Symbol.asyncDispose]() {
      for (const connection of waiting) connection.destroy();
      child.kill("SIGKILL");
      await once(child, "close");
      rmSync(socket, { force: true });
      await directory[Symbol.asyncDispose]();
    },
  };
}
