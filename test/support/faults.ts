import { ConnectionError } from "../../src/kube/api-error.ts";
import type { KubeClient } from "../../src/kube/client.ts";
import type { KubeObject } from "../../src/kube/object.ts";
import type { Resource } from "../../src/kube/resource.ts";

/** Where the reply to a request is lost: before the server saw it, after it acted, or not at all. */
export type Loss = "before" | "after" | "none";

/** Loses replies to creations of a resource: the n-th attempt of each name as the n-th entry says, the last for all others. */
export function createVanishingReply(resource: Resource, losses: readonly Loss[]) {
  const attempts = new Map<string, number>();
  let lost = 0;
  const wrap = (client: KubeClient): KubeClient => ({
    ...client,
    async create(wanted, object, options) {
      if (wanted.plural !== resource.plural) return client.create(wanted, object, options);
      const { name } = object.metadata;
      const attempt = attempts.get(name) ?? 0;
      attempts.set(name, attempt + 1);
      const loss = losses[Math.min(attempt, losses.length - 1)];
      const created = loss === "before" ? object : await client.create(wanted, object, options);
      if (loss === "none") return created;
      lost++;
      throw new ConnectionError(`POST ${name}`, "ETIMEDOUT");
    },
  });
  return { wrap, lost: () => lost };
}

/** Lets a client see the existing objects of a resource and then, for as long as it lives, no change of them. */
export function pausedWatch(resource: Resource) {
  const wrap = (client: KubeClient): KubeClient => ({
    ...client,
    async *watch<T extends KubeObject>(...[wanted, selection, options]: Parameters<KubeClient["watch"]>) {
      const events = client.watch(wanted as Resource<T>, selection, options);
      if (wanted.plural !== resource.plural) return yield* events;
      for await (const event of events) {
        yield event;
        if (event.type === "BOOKMARK" && event.initialEnd) break;
      }
      await new Promise((_, reject) => options.signal.addEventListener("abort", () => reject(options.signal.reason)));
    },
  });
  return { wrap };
}
