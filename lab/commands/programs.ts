import { join } from "node:path";
import { compileCache } from "../cluster/caches.ts";
import { type ClusterPlan, FABRIC } from "../cluster/plan.ts";
import { kubernetesPrograms } from "../programs/control-plane.ts";
import { ownPrograms } from "../programs/own.ts";
import type { Program } from "../programs/program.ts";
import { CHECKOUT } from "./checkout.ts";

/** All programs of a lab. */
export function labPrograms(plan: ClusterPlan, binary: string) {
  const { etcd, apiServer, controllerManager, scheduler, proxies } = kubernetesPrograms(plan, binary);
  const cache = compileCache();
  const agent: Program = {
    node: FABRIC,
    name: "agent",
    argv: [process.execPath, join(CHECKOUT, "lab", "agent", "main.ts")],
    env: { NODE_COMPILE_CACHE: cache },
  };
  const own = ownPrograms(plan, { checkout: CHECKOUT, node: process.execPath, compileCache: cache });
  const kubernetes = [controllerManager, scheduler, ...proxies];
  return { etcd, apiServer, agent, own, kubernetes, all: [etcd, apiServer, agent, ...own, ...kubernetes] };
}
