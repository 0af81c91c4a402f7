import type { BlockRequest } from "../crd/block-request.ts";
import { blockRequests } from "../crd/resources.ts";
import { isApiError } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import { isAnswered } from "./block-request-status.ts";

/** How long an answered request is left for its node to read, in ms: nodes of the Go implementation wait 10 s for the answer. */
const READ_MS = 600_000;

/** Requests whose answer has been there for ten minutes. `now` in ms since the epoch. */
export function staleRequests(requests: readonly BlockRequest[], now: number): BlockRequest[] {
  return requests.filter((request) => {
    const answeredAt = request.status?.conditions?.[0]?.lastTransitionTime ?? request.metadata.creationTimestamp ?? "";
    return isAnswered(request) && now - Date.parse(answeredAt) > READ_MS;
  });
}

/** Deletes requests that nobody changes meanwhile. Resolves with their number. */
export async function deleteStaleRequests(
  client: Pick<KubeClient, "delete">,
  requests: readonly BlockRequest[],
  { now, signal }: { now: number; signal: AbortSignal },
): Promise<number> {
  let deleted = 0;
  for (const { metadata } of staleRequests(requests, now)) {
    const { name, uid, resourceVersion } = metadata;
    const preconditions = { ...(uid !== undefined && { uid }), ...(resourceVersion !== undefined && { resourceVersion }) };
    try {
      if ((await client.delete(blockRequests, { name }, { signal, ...preconditions })) === "deleted") deleted++;
    } catch (error) {
      if (!isApiError(error, "Conflict")) throw error;
    }
  }
  return deleted;
}
