import type { KubeObject } from "../../src/kube/object.ts";
import { ensureControlPlane } from "../control-plane/build.ts";
import { runCommand } from "../machine/command.ts";
import { inNamespace } from "../machine/namespace.ts";
import { ADMIN_KUBECONFIG, KUBECTL_CACHE } from "./layout.ts";
import { CONTROL_PLANE } from "./plan.ts";

/** kubectl as the lab's administrator, for scripts. Failures are `CommandError`s with what kubectl said. */
export interface Kubectl {
  /** What it writes to standard output. */
  run(...args: string[]): Promise<string>;
  /** The objects that `kubectl get ARGUMENT...` finds. */
  list<T extends KubeObject>(...args: string[]): Promise<T[]>;
  apply(objects: readonly object[]): Promise<void>;
}

/** Variables that lead kubectl to the lab's API server. */
export function kubectlEnvironment(): Record<string, string> {
  return { KUBECONFIG: ADMIN_KUBECONFIG, KUBECACHEDIR: KUBECTL_CACHE };
}

/** Makes it; asks nothing. The lab must be up when it is used. */
export async function createKubectl(): Promise<Kubectl> {
  const binary = await ensureControlPlane({ env: process.env });
  const env = { PATH: process.env["PATH"], HOME: process.env["HOME"], ...kubectlEnvironment() };
  const run = (args: readonly string[], input?: string) =>
    runCommand(inNamespace(CONTROL_PLANE, [binary, "kubectl", ...args]), { env, ...(input !== undefined && { input }) });
  return {
    run: (...args) => run(args),
    async list<T extends KubeObject>(...args: string[]) {
      return (JSON.parse(await run(["get", ...args, "-o", "json"])) as { items: T[] }).items;
    },
    async apply(objects) {
      await run(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
    },
  };
}
