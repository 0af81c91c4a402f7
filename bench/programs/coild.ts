/** bin/coild.ts with the host's namespace by its path, BENCH_NETNS, so that the API server on this machine's loopback can be reached. */
import { runCoild } from "../../src/daemon/coild/coild.ts";
import { COILD_FLAGS } from "../../src/daemon/coild/flags.ts";
import { createKubeClient } from "../../src/kube/client.ts";
import { loadKubeConfig } from "../../src/kube/config.ts";
import { openNetNamespace } from "../../src/linux/netns/namespace.ts";
import { runProgram } from "../../src/observe/run.ts";

const program = {
  name: "coild",
  purpose: "coild in a namespace.",
  flags: COILD_FLAGS,
  argv: process.argv.slice(2),
  graceMs: 20_000,
};

await runProgram(program, async ({ flags, log, signal }) => {
  const config = await loadKubeConfig({ env: process.env });
  using client = createKubeClient(config, { log: log.child({ component: "kube" }), userAgent: "coild" });
  using namespace = openNetNamespace(process.env["BENCH_NETNS"] ?? "");
  await runCoild({ client, node: process.env["COIL_NODE_NAME"] ?? "", log, namespace }, flags, signal);
});
