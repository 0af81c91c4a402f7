import assert from "node:assert/strict";
import { test } from "node:test";
import { createHealth } from "./health.ts";
import { serveHealth, serveMetrics } from "./http-health.ts";
import { counter, createRegistry } from "./metrics.ts";
import { registerProcessMetrics } from "./process-metrics.ts";

async function read(port: number, path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return `${response.status} ${await response.text()}`;
}

test("serveHealth() tells which check fails and why", async () => {
  const health = createHealth();
  let problem: string | undefined = "no list of nodes yet";
  health.addLiveness("loop", () => undefined);
  health.addReadiness("nodes", () => problem);
  await using server = await serveHealth("127.0.0.1:0", health);
  assert.equal(await read(server.port, "/healthz"), "200 [+]loop ok\nok\n");
  assert.equal(await read(server.port, "/readyz"), "503 [-]nodes failed: no list of nodes yet\nfailed\n");
  problem = undefined;
  assert.equal(await read(server.port, "/readyz?verbose"), "200 [+]nodes ok\nok\n");
  assert.equal(await read(server.port, "/"), "404 not found\n");
});

test("serveMetrics() shows the process and what components registered", async () => {
  const registry = createRegistry();
  registerProcessMetrics(registry, { program: "test" });
  counter(registry, "coil_things_total", "Things.").inc(3);
  await using server = await serveMetrics("127.0.0.1:0", registry);
  await read(server.port, "/metrics");
  const text = await read(server.port, "/metrics");
  assert.match(text, /^coil_things_total 3$/m);
  assert.match(text, /^process_cpu_seconds_total [0-9.]+$/m);
  assert.match(text, /^process_resident_memory_bytes [0-9]+$/m);
  assert.match(text, /^coil_build_info\{program="test",version="[^"]+",node_version="[^"]+"\} 1$/m);
});

test("serveMetrics() can be switched off, and refuses an address in use", async () => {
  await using off = await serveMetrics("0", createRegistry());
  assert.equal(off.port, 0);
  await using server = await serveMetrics("127.0.0.1:0", createRegistry());
  await assert.rejects(serveMetrics(`127.0.0.1:${server.port}`, createRegistry()), /Cannot listen on 127\.0\.0\.1:/);
});
