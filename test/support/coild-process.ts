/**
 * coild as a process of its own, for tests that kill it. Started with one argument, the settings as JSON; the host's namespace is
 * given by a path, so that the API server of the test can be reached.
 */
import { runCoild } from "../../src/daemon/coild/coild.ts";
import type { CoildFlags } from "../../src/daemon/coild/flags.ts";
import { createKubeClient } from "../../src/kube/client.ts";
import { loadKubeConfig } from "../../src/kube/config.ts";
import { silentLog } from "../../src/kube/log.ts";
import { openNetNamespace } from "../../src/linux/netns/namespace.ts";
import { createLogger } from "../../src/observe/logger.ts";
import { runUntilSignal } from "../../src/observe/run.ts";

export interface CoildProcessSettings {
  readonly kubeconfig: string;
  readonly node: string;
  /** Path of the host's network namespace. */
  readonly netns: string;
  readonly flags: CoildFlags;
}

const { kubeconfig, node, netns, flags } = JSON.parse(process.argv[2] ?? "") as CoildProcessSettings;
const namespace = openNetNamespace(netns);
const client = createKubeClient(await loadKubeConfig({ env: { KUBECONFIG: kubeconfig } }), { log: silentLog, userAgent: node });
const log = createLogger({ name: "coild", level: process.env["COIL_TEST_LOG"] ? "debug" : "fatal" });
process.exit(
  await runUntilSignal((signal) => runCoild({ client, node, log, namespace }, flags, signal), { log, graceMs: 10_000 }),
);
