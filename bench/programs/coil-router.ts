/** bin/coil-router.ts with the host's namespace by its path, BENCH_NETNS. */
import { createKubeClient } from "../../src/kube/client.ts";
import { loadKubeConfig } from "../../src/kube/config.ts";
import { openNetNamespace } from "../../src/linux/netns/namespace.ts";
import { runProgram } from "../../src/observe/run.ts";
import { ROUTER_FLAGS } from "../../src/router/flags.ts";
import { runRouter } from "../../src/router/router.ts";

const program = {
  name: "coil-router",
  purpose: "coil-router in a namespace.",
  flags: ROUTER_FLAGS,
  argv: process.argv.slice(2),
  graceMs: 5000,
};

await runProgram(program, async ({ flags, log, signal }) => {
  const config = await loadKubeConfig({ env: process.env });
  using client = createKubeClient(config, { log: log.child({ component: "kube" }), userAgent: "coil-router" });
  using namespace = openNetNamespace(process.env["BENCH_NETNS"] ?? "");
  await runRouter({ client, node: process.env["COIL_NODE_NAME"] ?? "", log, namespace }, flags, signal);
});
