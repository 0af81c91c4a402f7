import { CNI_ERROR, CniError } from "../../cni/error.ts";
import { ANNOTATION_POOL, DEFAULT_POOL } from "../../crd/names.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { PartialObject } from "../../kube/object.ts";
import { namespaces, pods } from "../../kube/resources.ts";
import type { Caches } from "./caches.ts";
import { isPod } from "./pod-identity.ts";

/** A pod as the runtime names it. */
export interface PodRef {
  readonly namespace: string;
  readonly name: string;
  /** Absent with runtimes that do not tell. */
  readonly uid?: string;
}

/** Knows pods and the pools of their namespaces, from watches as a rule: nothing is asked when they are up to date. */
export interface PodDirectory {
  /** Rejects with `CniError` 3 when there is no such pod, or another one of that name, and with the client's errors. */
  find(ref: PodRef, options: { readonly signal: AbortSignal }): Promise<PartialObject>;
  /** Name of the pool of a namespace: its annotation, else `default`. A pod has no say. Rejects with `CniError`, 3 or 7. */
  poolOf(namespace: string, options: { readonly signal: AbortSignal }): Promise<string>;
}

/** Looks into the caches, and asks the API server directly for what they do not have. */
export function createPodDirectory(
  client: Pick<KubeClient, "get">,
  caches: { readonly [K in "pods" | "namespaces"]: Pick<Caches[K], "get"> },
): PodDirectory {
  return {
    async find({ namespace, name, uid }, { signal }) {
      const cached = caches.pods.get(name, namespace);
      if (cached && isPod(cached, uid)) return cached;
      const found = await client.get(pods, { name, namespace }, { signal, metadataOnly: true });
      if (!found) throw new CniError(CNI_ERROR.unknownContainer, `There is no pod ${namespace}/${name}`);
      if (isPod(found, uid)) return found;
      throw new CniError(CNI_ERROR.unknownContainer, `The pod ${namespace}/${name} is another one now`, {
        details: `its UID is ${found.metadata.uid}, the runtime asks for ${uid}`,
      });
    },
    async poolOf(name, { signal }) {
      const namespace = caches.namespaces.get(name) ?? (await client.get(namespaces, { name }, { signal, metadataOnly: true }));
      if (!namespace) throw new CniError(CNI_ERROR.unknownContainer, `There is no namespace ${name}`);
      const pool = namespace.metadata.annotations?.[ANNOTATION_POOL] ?? DEFAULT_POOL;
      if (pool !== "") return pool;
      throw new CniError(CNI_ERROR.invalidNetworkConfig, `The annotation ${ANNOTATION_POOL} of namespace ${name} is empty`, {
        details: `name a pool, or remove the annotation for the pool ${DEFAULT_POOL}`,
      });
    },
  };
}
