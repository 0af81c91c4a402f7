import { isApiError } from "./api-error.ts";
import type { KubeClient } from "./client.ts";
import { type Clock, realClock } from "./clock.ts";
import { linkedController } from "./deadline.ts";
import { waitForLease } from "./lease-candidate.ts";
import { type Candidate, released, renewed, takenBy } from "./lease-record.ts";
import type { KubeLog } from "./log.ts";
import { type Lease, leases } from "./resources.ts";

export interface LeaderElectorOptions {
  readonly client: Pick<KubeClient, "get" | "create" | "update" | "watch" | "pages">;
  /** Namespace and name of the Lease. */
  readonly namespace: string;
  readonly name: string;
  /** Unique for each process, for example host name and a random part. */
  readonly identity: string;
  /** How long others wait before they take a lease that is not renewed. Default 15 s; the API keeps whole seconds, rounded up. */
  readonly leaseDurationMs?: number;
  /** After this long without a renewal a leader stops leading. Default 10 s. The difference is what `lead` has to come to an end. */
  readonly renewDeadlineMs?: number;
  /** Between renewals, and between attempts. Default 2 s. */
  readonly retryMs?: number;
  readonly log: KubeLog;
  readonly clock?: Clock;
}

/** One of several processes leads at a time. */
export interface LeaderElector {
  /**
   * Waits for the lease and then runs `lead` while it is renewed. Ends in one of these ways:
   * - `signal` aborts: `lead` is aborted and waited for, the lease is given back for another to take at once; `released`.
   * - the lease cannot be renewed, or another has it: `lead` is aborted; `lost`. Then the process should exit, because `lead` may
   *   still be at work if it did not return before the lease ran out.
   * - `lead` returns or rejects: the lease is given back; `released`, or the rejection.
   */
  run(signal: AbortSignal, lead: (signal: AbortSignal) => Promise<void>): Promise<"released" | "lost">;
  /** Also false from the moment on when a renewal is overdue. */
  readonly isLeader: boolean;
}

const RELEASE_MS = 3000;

/** Makes the elector. Throws `RangeError` unless retryMs < renewDeadlineMs < leaseDurationMs. */
export function createLeaderElector(options: LeaderElectorOptions): LeaderElector {
  const { client, namespace, name, identity, log, clock = realClock } = options;
  const { leaseDurationMs = 15_000, renewDeadlineMs = 10_000, retryMs = 2000 } = options;
  if (!(retryMs < renewDeadlineMs && renewDeadlineMs < leaseDurationMs)) {
    throw new RangeError(
      `Lease ${name}: want retry ${retryMs} < renew deadline ${renewDeadlineMs} < duration ${leaseDurationMs} ms`,
    );
  }
  const candidate: Candidate = { namespace, name, identity, leaseDurationMs };
  const attemptMs = Math.max(retryMs, renewDeadlineMs / 4);
  const fields = { lease: `${namespace}/${name}`, identity };
  let held: Lease | undefined;
  /** Whether the server may know us as the holder. */
  let written = false;
  /** Before the request of the last renewal was sent: others count from a later moment. */
  let renewedAt = 0;
  let leading = false;

  const remaining = () => renewedAt + renewDeadlineMs - clock.now();

  const write = async (lease: Lease, signal: AbortSignal): Promise<void> => {
    const at = clock.now();
    written = true;
    const call = { signal, timeoutMs: attemptMs };
    held = await (lease.metadata.resourceVersion ? client.update(leases, lease, call) : client.create(leases, lease, call));
    renewedAt = at;
  };

  /** Renews once; false when another has the lease. */
  const renew = async (signal: AbortSignal): Promise<boolean> => {
    try {
      if (held) await write(renewed(held, new Date()), signal);
      return true;
    } catch (error) {
      if (!isApiError(error, "Conflict", "NotFound")) throw error;
    }
    const current = await client.get(leases, { namespace, name }, { signal, timeoutMs: attemptMs });
    if (current && current.spec?.holderIdentity !== identity) return false;
    await write(takenBy(candidate, current, new Date()), signal);
    return true;
  };

  /** Renews until the lease is lost or `signal` aborts. No wait in here is longer than what remains until the deadline. */
  const keep = async (signal: AbortSignal): Promise<"lost" | "stopped"> => {
    for (;;) {
      await clock.sleep(Math.max(0, Math.min(retryMs, remaining())), { signal }).catch(() => undefined);
      if (signal.aborted) return "stopped";
      if (remaining() <= 0) return "lost";
      using attempt = linkedController(signal, remaining());
      try {
        if (!(await renew(attempt.signal))) return "lost";
      } catch (err) {
        if (signal.aborted) return "stopped";
        log.warn({ ...fields, err, remainingMs: Math.round(remaining()) }, "the lease could not be renewed");
      }
    }
  };

  /** Gives the lease back if it is ours. Works against a time-out of its own, since whoever stops us has aborted already. */
  const release = async (): Promise<void> => {
    using attempt = linkedController(undefined, RELEASE_MS);
    const { signal } = attempt;
    try {
      for (;;) {
        const current: Lease | undefined = held ?? (await client.get(leases, { namespace, name }, { signal }));
        held = undefined;
        if (current?.spec?.holderIdentity !== identity) return;
        try {
          await client.update(leases, released(current, new Date()), { signal });
          log.info(fields, "gave the lease back");
          return;
        } catch (error) {
          if (!isApiError(error, "Conflict")) throw error;
        }
      }
    } catch (err) {
      log.warn({ ...fields, err }, "the lease could not be given back: it runs out by itself");
    }
  };

  const lead = async (signal: AbortSignal, task: (signal: AbortSignal) => Promise<void>): Promise<"released" | "lost"> => {
    using term = linkedController(signal);
    const renewals = new AbortController();
    leading = true;
    log.info(fields, "leading");
    const done = (async () => task(term.signal))().finally(() => renewals.abort());
    done.catch(() => undefined);
    const outcome = await keep(renewals.signal);
    leading = false;
    if (outcome === "lost") {
      log.error(fields, "lost the lease");
      term.abort(new Error(`The lease ${namespace}/${name} is lost`));
      using grace = linkedController(undefined);
      await Promise.race([done.catch(() => undefined), clock.sleep(leaseDurationMs - renewDeadlineMs, { signal: grace.signal })]);
      return "lost";
    }
    await release();
    if (!signal.aborted) await done;
    else
      await done.catch(
        (err: unknown) => err === signal.reason || log.debug({ ...fields, err }, "the leader's work ended with an error"),
      );
    return "released";
  };

  return {
    async run(signal, task) {
      try {
        await waitForLease(
          { client, candidate, retryMs, log, clock, take: (lease) => write(takenBy(candidate, lease, new Date()), signal) },
          signal,
        );
      } catch (error) {
        if (!signal.aborted) throw error;
        // The request that was under way may have got us the lease.
        if (written) await release();
        return "released";
      }
      return lead(signal, task);
    },
    get isLeader() {
      return leading && remaining() > 0;
    },
  };
}
