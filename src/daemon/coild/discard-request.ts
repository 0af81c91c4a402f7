import { blockRequests } from "../../crd/resources.ts";
import { isApiError } from "../../kube/api-error.ts";
import { backoffMs } from "../../kube/backoff.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { Clock } from "../../kube/clock.ts";
import type { Logger } from "../../observe/logger.ts";

const RETRY = { baseMs: 500, maxMs: 30_000 };
/** The controller cleans up what is still there after that. */
const ATTEMPTS = 8;

/** Deletes a BlockRequest that nobody needs any more, unless its name belongs to another one by now. Never rejects. */
export async function discardRequest(
  { client, clock, log, signal }: { client: Pick<KubeClient, "delete">; clock: Clock; log: Logger; signal: AbortSignal },
  { name, uid }: { name: string; uid: string },
): Promise<void> {
  for (let attempt = 1; !signal.aborted; attempt++) {
    try {
      await client.delete(blockRequests, { name }, { uid, signal });
      return;
    } catch (err) {
      if (signal.aborted || isApiError(err, "Conflict")) return;
      if (attempt >= ATTEMPTS) {
        log.warn({ err, request: name }, "cannot delete a request");
        return;
      }
      await clock.sleep(backoffMs(RETRY, attempt), { signal }).catch(() => undefined);
    }
  }
}
