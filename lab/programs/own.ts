import { join } from "node:path";
import { coildSocket, programKubeconfig } from "../cluster/layout.ts";
import type { ClusterPlan, LabNode } from "../cluster/plan.ts";
import { nodeUrl } from "./control-plane.ts";
import type { Program } from "./program.ts";

/** Nodes that run a coil-ipam-controller: two, so that one can take over from the other. */
const CONTROLLERS = 2;

export interface OwnProgramOptions {
  /** The checkout whose programs are run. */
  readonly checkout: string;
  /** The Node.js that runs them. */
  readonly node: string;
  /** Where compiled code is kept between starts. */
  readonly compileCache: string;
}

/** How this project's programs are started: from the sources of the checkout, each as its ServiceAccount. */
export function ownPrograms(plan: ClusterPlan, { checkout, node, compileCache }: OwnProgramOptions): Program[] {
  const program = (on: LabNode, name: string, healthPort: number, flags: readonly string[]): Program => ({
    node: on.name,
    name,
    // A small young generation keeps the memory small that a burst of pods leaves behind.
    argv: [node, "--max-semi-space-size=1", join(checkout, "bin", `${name}.ts`), ...flags],
    env: {
      COIL_NODE_NAME: on.name,
      KUBECONFIG: programKubeconfig(on.name, name),
      NODE_COMPILE_CACHE: compileCache,
    },
    health: { url: nodeUrl(on, healthPort, "http", "/readyz") },
  });
  return [
    ...plan.nodes.slice(0, CONTROLLERS).map((on) => program(on, "coil-ipam-controller", 9387, [])),
    ...plan.nodes.map((on) => program(on, "coild", 9385, [`--socket=${coildSocket(on.name)}`])),
    ...plan.nodes.map((on) => program(on, "coil-router", 9389, [])),
  ];
}

/** The names of this project's programs by node. */
export function ownProgramNames(plan: ClusterPlan): Map<string, string[]> {
  const programs = ownPrograms(plan, { checkout: "", node: "", compileCache: "" });
  return new Map(
    plan.nodes.map(({ name }) => [name, programs.filter(({ node }) => node === name).map((program) => program.name)]),
  );
}
