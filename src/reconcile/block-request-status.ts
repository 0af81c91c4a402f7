import type { BlockRequest, BlockRequestCondition, BlockRequestStatus } from "../crd/block-request.ts";
import { timestamp } from "./timestamp.ts";

/** Why there is no block: `reason` is what nodes show to people, also those that run the Go implementation. */
export interface Refusal {
  readonly reason: string;
  readonly message: string;
}

/** The answer that names the block. `now` in ms since the epoch. */
export function grantedStatus(block: string, now: number): BlockRequestStatus {
  return { addressBlockName: block, conditions: [condition("Complete", "allocated", `allocated a block ${block}`, now)] };
}

/** The answer that there is no block. `now` in ms since the epoch. */
export function refusedStatus({ reason, message }: Refusal, now: number): BlockRequestStatus {
  const failure = "completed with failure";
  return { conditions: [condition("Complete", failure, failure, now), condition("Failed", reason, message, now)] };
}

/** Whether a request has its answer. It never changes after that. */
export function isAnswered({ status }: BlockRequest): boolean {
  return (status?.conditions?.length ?? 0) > 0;
}

function condition(type: BlockRequestCondition["type"], reason: string, message: string, now: number): BlockRequestCondition {
  const at = timestamp(now);
  return { type, status: "True", lastProbeTime: at, lastTransitionTime: at, reason, message };
}
