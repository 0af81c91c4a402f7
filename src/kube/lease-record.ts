import type { Lease } from "./resources.ts";

/** Who wants or holds a lease. */
export interface Candidate {
  readonly namespace: string;
  readonly name: string;
  /** Unique for each process that runs, not for each name it may run under. */
  readonly identity: string;
  readonly leaseDurationMs: number;
}

/** A new lease, or the given one, taken by the candidate. */
export function takenBy({ namespace, name, identity, leaseDurationMs }: Candidate, lease: Lease | undefined, at: Date): Lease {
  const former = lease?.spec?.holderIdentity ?? "";
  const transitions = lease?.spec?.leaseTransitions ?? 0;
  return {
    ...lease,
    metadata: lease?.metadata ?? { name, namespace },
    spec: {
      ...lease?.spec,
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000),
      leaseTransitions: lease && former !== identity ? transitions + 1 : transitions,
      ...(former !== identity && { acquireTime: microTime(at) }),
      renewTime: microTime(at),
    },
  };
}

/** The lease with a new time of renewal. */
export function renewed(lease: Lease, at: Date): Lease {
  return { ...lease, spec: { ...lease.spec, renewTime: microTime(at) } };
}

/** The lease given back: anyone may take it at once. */
export function released(lease: Lease, at: Date): Lease {
  return { ...lease, spec: { ...lease.spec, holderIdentity: "", leaseDurationSeconds: 1, renewTime: microTime(at) } };
}

/** How long the holder has it from a renewal on, milliseconds. Zero when nobody has it. */
export function heldForMs(lease: Lease): number {
  return lease.spec?.holderIdentity ? (lease.spec.leaseDurationSeconds ?? 0) * 1000 : 0;
}

/** The server insists on six digits. */
function microTime(at: Date): string {
  return at.toISOString().replace("Z", "000Z");
}
