#!/usr/bin/env node
import { createKubeClient } from "../src/kube/client.ts";
import { loadKubeConfig } from "../src/kube/config.ts";
import { runProgram } from "../src/observe/run.ts";
import { VERSION } from "../src/observe/version.ts";
import { ROUTER_FLAGS } from "../src/router/flags.ts";
import { runRouter } from "../src/router/router.ts";

const name = "coil-router";

void runProgram(
  {
    name,
    purpose: "Routes to the address blocks of other nodes, where all nodes share a link.",
    flags: ROUTER_FLAGS,
    argv: process.argv.slice(2),
    graceMs: 5_000,
  },
  async ({ flags, log, signal }) => {
    const node = process.env["COIL_NODE_NAME"];
    if (!node) throw new Error("The environment variable COIL_NODE_NAME must name the Node this runs on");
    const config = await loadKubeConfig({ env: process.env });
    using client = createKubeClient(config, { log: log.child({ component: "kube" }), userAgent: `${name}/${VERSION}` });
    await runRouter({ client, node, log }, flags, signal);
  },
);
