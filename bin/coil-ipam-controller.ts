#!/usr/bin/env node
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { runIpamController } from "../src/daemon/ipam-controller/controller.ts";
import { IPAM_CONTROLLER_FLAGS } from "../src/daemon/ipam-controller/flags.ts";
import { createKubeClient } from "../src/kube/client.ts";
import { loadKubeConfig } from "../src/kube/config.ts";
import { runProgram } from "../src/observe/run.ts";
import { VERSION } from "../src/observe/version.ts";

const name = "coil-ipam-controller";

void runProgram(
  {
    name,
    purpose: "Grants blocks of address pools to nodes and takes back those of vanished nodes.",
    flags: IPAM_CONTROLLER_FLAGS,
    argv: process.argv.slice(2),
    graceMs: 10_000,
  },
  async ({ flags, log, signal }) => {
    const config = await loadKubeConfig({ env: process.env });
    const connection = { log: log.child({ component: "kube" }), userAgent: `${name}/${VERSION}` };
    using client = createKubeClient(config, connection);
    using electionClient = createKubeClient(config, connection);
    const identity = `${process.env["COIL_POD_NAME"] ?? hostname()}_${randomBytes(4).toString("hex")}`;
    await runIpamController({ client, electionClient, identity, log }, flags, signal);
  },
);
