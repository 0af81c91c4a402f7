import { isApiError } from "./api-error.ts";
import type { KubeClient } from "./client.ts";
import type { Clock } from "./clock.ts";
import { linkedController } from "./deadline.ts";
import { type Candidate, heldForMs } from "./lease-record.ts";
import type { KubeLog } from "./log.ts";
import { type Lease, leases } from "./resources.ts";
import { createWatchCache } from "./watch-cache.ts";

export interface WaitForLeaseOptions {
  readonly client: Pick<KubeClient, "get" | "watch" | "pages">;
  readonly candidate: Candidate;
  /** Between looks at the lease when it cannot be watched. */
  readonly retryMs: number;
  readonly log: KubeLog;
  readonly clock: Clock;
  /** Writes our name into the lease as it was seen; undefined when there is none. Rejects when the server refuses. */
  readonly take: (lease: Lease | undefined) => Promise<void>;
}

interface Observation {
  readonly lease: Lease | undefined;
  /** When this version of the lease was first seen here. The times in the lease come from another machine's clock: not used. */
  readonly at: number;
}

/**
 * Waits until the lease is free or has not been renewed for as long as its holder promised to, and takes it. Watches, so that a
 * lease that is given back is taken at once. Rejects only when aborted.
 */
export async function waitForLease(options: WaitForLeaseOptions, signal: AbortSignal): Promise<void> {
  const { client, candidate, retryMs, log, clock, take } = options;
  const { namespace, name, identity } = candidate;
  signal.throwIfAborted();
  using watching = linkedController(signal);
  let observed: Observation | undefined;
  let wake = () => {};
  const see = (lease: Lease | undefined) => {
    if (observed && observed.lease?.metadata.resourceVersion === lease?.metadata.resourceVersion) return;
    observed = { lease, at: clock.now() };
    wake();
  };
  const cache = createWatchCache(client, { resource: leases, namespace, fieldSelector: `metadata.name=${name}`, log, clock });
  cache.onChange(({ type, object }) => see(type === "deleted" ? undefined : object));
  const watch = cache.run(watching.signal);

  const look = async (): Promise<void> => {
    see(await client.get(leases, { namespace, name }, { signal, timeoutMs: Math.max(retryMs, 1000) }));
  };
  /** Milliseconds until the lease may be taken. */
  const wait = ({ lease, at }: Observation): number => {
    if (!lease || lease.spec?.holderIdentity === identity) return 0;
    return heldForMs(lease) - (clock.now() - at);
  };
  const pause = async (ms: number): Promise<void> => {
    using sleeping = linkedController(signal);
    wake = () => sleeping.abort(undefined);
    await clock.sleep(ms, { signal: sleeping.signal }).catch(() => undefined);
    wake = () => {};
    signal.throwIfAborted();
  };

  const attempt = async (): Promise<"taken" | "waited"> => {
    if (!observed || !cache.isSynced) await look();
    const ms = observed ? wait(observed) : 0;
    if (ms > 0) {
      await pause(cache.isSynced ? ms : Math.min(ms, jittered(retryMs)));
      return "waited";
    }
    try {
      await take(observed?.lease);
      return "taken";
    } catch (error) {
      // Somebody was faster, or we were and the answer got lost: what we saw is old.
      if (!isApiError(error, "Conflict", "AlreadyExists", "NotFound")) throw error;
      await look();
      return "waited";
    }
  };

  try {
    for (;;) {
      try {
        if ((await attempt()) === "taken") return;
      } catch (err) {
        signal.throwIfAborted();
        log.debug({ err, lease: `${namespace}/${name}` }, "the lease could not be read or taken");
        await pause(jittered(retryMs));
      }
    }
  } finally {
    watching.abort(undefined);
    await watch;
  }
}

function jittered(ms: number): number {
  return ms * (0.8 + 0.4 * Math.random());
}
