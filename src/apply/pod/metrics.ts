import { counter, histogram, type Registry } from "../../observe/metrics.ts";

/** The parts of a set-up, and the tear-down. */
export type PodPhase = "namespace" | "veth" | "pod" | "host" | "delete";

/** What the pod network counts. */
export interface PodNetworkMetrics {
  /** Something of ours that others had removed or altered was put back. */
  driftRepaired(kind: string): void;
  /** How long a part of a set-up or tear-down took. */
  phase(phase: PodPhase, seconds: number): void;
}

/** Metrics in `registry`: `coil_drift_repaired_total{kind}` and `coil_pod_network_seconds{phase}`. */
export function createPodNetworkMetrics(registry: Registry): PodNetworkMetrics {
  const repaired = createDriftCounter(registry);
  const phases = histogram(registry, "coil_pod_network_seconds", "Time of the parts of a pod's network set-up", {
    labelNames: ["phase"],
  });
  return {
    driftRepaired: repaired,
    phase: (phase, seconds) => phases.observe({ phase }, seconds),
  };
}

/** `coil_drift_repaired_total{kind}` as a function that counts one. Make it once a registry. */
export function createDriftCounter(registry: Registry): (kind: string) => void {
  const repaired = counter(
    registry,
    "coil_drift_repaired_total",
    "State of the kernel that others altered and that was put back",
    ["kind"],
  );
  return (kind) => repaired.inc({ kind });
}

/** Counts nothing. */
export const noMetrics: PodNetworkMetrics = { driftRepaired: () => undefined, phase: () => undefined };
