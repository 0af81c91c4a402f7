import { PodNetworkError, type PodNetworkErrorCode } from "../../apply/pod-network-error.ts";
import { CNI_ERROR, CniError } from "../../cni/error.ts";
import { ApiError, ConnectionError } from "../../kube/api-error.ts";
import { AllocationError } from "./allocation-error.ts";

/** Where a call failed: the subject of the sentence. */
export interface FailedCall {
  readonly command: "ADD" | "DEL" | "CHECK" | "GC";
  /** `namespace/name` of the pod; the container where the runtime tells no more. */
  readonly pod: string;
  /** When it is known already. */
  readonly pool?: string | undefined;
}

/** A failure as the runtime gets to see it, and as it is counted. */
export interface CniFailure {
  readonly error: CniError;
  /** One or two words, for metrics. */
  readonly reason: string;
}

/** The one place where errors become CNI errors. The message names pod, pool and reason; 11 is for what can be better next time. */
export function cniFailure(error: unknown, { command, pod, pool }: FailedCall): CniFailure {
  if (error instanceof CniError) return { error, reason: CNI_REASONS[error.code] ?? "other" };
  if (error instanceof AllocationError) {
    const message = `cannot allocate an address for pod ${pod} from pool ${pool}: ${error.message}`;
    return { error: new CniError(CNI_ERROR.tryAgainLater, message, { cause: error }), reason: error.code };
  }
  const action = `cannot ${ACTIONS[command]} ${pod}`;
  const message = `${action}: ${error instanceof Error ? error.message : String(error)}`;
  if (error instanceof PodNetworkError) {
    return { error: new CniError(networkCode(error.code), message, { ...causes(error), cause: error }), reason: error.code };
  }
  if (error instanceof ApiError || error instanceof ConnectionError) {
    return { error: new CniError(CNI_ERROR.tryAgainLater, message, { cause: error }), reason: "api" };
  }
  return { error: new CniError(CNI_ERROR.internal, message, { ...causes(error), cause: error }), reason: "internal" };
}

const ACTIONS = {
  ADD: "set up the network of pod",
  DEL: "remove the network of pod",
  CHECK: "check the network of pod",
  GC: "clean up",
} as const;

const CNI_REASONS: Readonly<Record<number, string>> = {
  [CNI_ERROR.unknownContainer]: "unknown-pod",
  [CNI_ERROR.invalidEnvironment]: "invalid-call",
  [CNI_ERROR.invalidNetworkConfig]: "invalid-config",
  [CNI_ERROR.decodingFailure]: "invalid-call",
  [CNI_ERROR.tryAgainLater]: "aborted",
  [CNI_ERROR.internal]: "check-failed",
};

function networkCode(code: PodNetworkErrorCode): number {
  switch (code) {
    case "namespace-gone":
      return CNI_ERROR.unknownContainer;
    case "not-a-namespace":
    case "interface-exists":
      return CNI_ERROR.invalidEnvironment;
    case "host-namespace":
      return CNI_ERROR.invalidNetns;
    case "invalid-attachment":
      return CNI_ERROR.invalidNetworkConfig;
    case "address-in-use":
      return CNI_ERROR.tryAgainLater;
    case "kernel":
      return CNI_ERROR.internal;
  }
}

/** What lies behind an error, for `details`. */
function causes(error: unknown): { details?: string } {
  const texts: string[] = [];
  for (let at = (error as Error)?.cause; at instanceof Error && texts.length < 4; at = at.cause) texts.push(at.message);
  return texts.length === 0 ? {} : { details: texts.join(": ") };
}
