import { existsSync } from "node:fs";
import { createKubeClient, type KubeClient } from "../../src/kube/client.ts";
import { realClock } from "../../src/kube/clock.ts";
import { loadKubeConfig } from "../../src/kube/config.ts";
import { namespaces } from "../../src/kube/resources.ts";
import { createLogger } from "../../src/observe/logger.ts";
import { runTogether, runUntilSignal } from "../../src/observe/run.ts";
import { readLabState } from "../cluster/lab-state.ts";
import { ADMIN_KUBECONFIG, kubeletStopped } from "../cluster/layout.ts";
import { FABRIC, planCluster } from "../cluster/plan.ts";
import { healthProblem } from "../programs/health.ts";
import { ownProgramNames } from "../programs/own.ts";
import { isRunning, listPrograms } from "../programs/record.ts";
import { aborted } from "./aborted.ts";
import { createKubelets } from "./kubelets.ts";
import { applyManifests, poolsAreAccepted } from "./manifests.ts";
import { createProgramTokens } from "./program-tokens.ts";
import type { AgentStatus, ProgramReport } from "./protocol.ts";
import { serveAgent } from "./server.ts";
import { supervise } from "./supervisor.ts";

/**
 * The lab's agent, one process in the fabric's namespace: the light kubelets of all nodes, the tokens of this project's programs, and
 * a supervisor for those. It may die and be started again at any time; the lab goes on.
 */
const log = createLogger({ name: "lab-agent" });
const state = readLabState();
if (!state) throw new Error("there is no lab on this machine: run coil-lab up");
const { checkout } = state;
const plan = planCluster(state);
const config = await loadKubeConfig({ env: {}, kubeconfigPath: ADMIN_KUBECONFIG });

process.exitCode = await runUntilSignal(
  async (signal) => {
    using client = createKubeClient(config, { log: log.child({ component: "kube" }), userAgent: "coil-lab" });
    let apiIsReady = false;
    const problems = new Set(["address pools are refused until the API server knows their policies"]);
    const tokens = createProgramTokens({ client, log, server: plan.apiServer, programs: ownProgramNames(plan) });
    const registered = new Set<string>();
    const kubelets = createKubelets({
      client,
      plan,
      log,
      async onRegistered(node, uid, until) {
        await tokens.issue(node, uid, until);
        registered.add(node);
      },
    });
    const places = [FABRIC, ...plan.nodes.map(({ name }) => name)];
    const phase = (): AgentStatus["phase"] => {
      if (!apiIsReady) return "waiting";
      const all = plan.nodes.every(({ name }) => registered.has(name) || existsSync(kubeletStopped(name)));
      return all ? "running" : "installing";
    };
    const handlers = {
      phase,
      status: async () => ({
        phase: phase(),
        problems: [...problems],
        nodes: kubelets.report(),
        programs: await programReports(places),
      }),
      setKubelet: kubelets.set,
    };
    const install = async (until: AbortSignal) => {
      await waitForApi(client, until);
      apiIsReady = true;
      await applyManifests(client, checkout, until);
      await runTogether(until, [
        (own) => kubelets.run(own),
        async (own) => {
          await poolsAreAccepted(client, own);
          problems.clear();
          await aborted(own);
        },
      ]);
    };
    await runTogether(signal, [
      (own) => serveAgent(handlers, own),
      install,
      (own) => tokens.run(own),
      (own) => supervise({ nodes: places, checkout, log }, own),
    ]);
  },
  { log, graceMs: 5000 },
);

/** Until objects can be written. The API server calls itself ready a second later only, when it has its own roles. */
async function waitForApi(client: KubeClient, signal: AbortSignal): Promise<void> {
  const writable = async () => {
    try {
      return (await client.get(namespaces, { name: "kube-system" }, { signal, timeoutMs: 2000 })) !== undefined;
    } catch {
      signal.throwIfAborted();
      return false;
    }
  };
  while (!(await writable())) await realClock.sleep(50, { signal });
}

async function programReports(places: readonly string[]): Promise<ProgramReport[]> {
  return Promise.all(
    listPrograms(places).map(async (record): Promise<ProgramReport> => {
      const { node, name, health } = record.program;
      const problem = isRunning(record) ? health && (await healthProblem(health)) : "does not run";
      return { node, name, ...(problem !== undefined && { problem }) };
    }),
  );
}
