#!/usr/bin/env node
import { runCoild } from "../src/daemon/coild/coild.ts";
import { COILD_FLAGS, flagsProblem, nodeNameProblem } from "../src/daemon/coild/flags.ts";
import { createKubeClient } from "../src/kube/client.ts";
import { loadKubeConfig } from "../src/kube/config.ts";
import { runProgram } from "../src/observe/run.ts";
import { VERSION } from "../src/observe/version.ts";

const name = "coild";

await runProgram(
  {
    name,
    purpose: "Gives addresses to the pods of this node, and connects them.",
    flags: COILD_FLAGS,
    argv: process.argv.slice(2),
    graceMs: 20_000,
  },
  async ({ flags, log, signal }) => {
    const node = process.env["COIL_NODE_NAME"] ?? "";
    const problem = nodeNameProblem(node) ?? flagsProblem(flags);
    if (problem !== undefined) throw new Error(problem);
    const config = await loadKubeConfig({ env: process.env });
    using client = createKubeClient(config, { log: log.child({ component: "kube" }), userAgent: `${name}/${VERSION}` });
    await runCoild({ client, node, log }, flags, signal);
  },
);
