import type { LabNode } from "../cluster/plan.ts";
import type { CniRuntime } from "../cni/runtime.ts";

/** A node whose pods this process starts. */
export interface LightNode extends LabNode {
  readonly cni: CniRuntime;
  /** False after `coil-lab kill NODE kubelet`: then nothing is done for the node, and it becomes silent. */
  active: boolean;
}
