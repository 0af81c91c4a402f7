import type { AddressBlock } from "../crd/address-block.ts";
import { FINALIZER } from "../crd/names.ts";
import { addressBlocks } from "../crd/resources.ts";
import { isApiError } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";

const ATTEMPTS = 5;

/**
 * Gives a block back to its pool: marks it as deleted, then takes our finalizer off. Both steps name the UID, so that a block of the
 * same name that somebody else has got since is left alone. Resolves when it is gone or held only by foreign finalizers.
 */
export async function releaseBlock(
  client: Pick<KubeClient, "delete" | "get" | "patch">,
  block: { readonly metadata: AddressBlock["metadata"] },
  { signal }: { signal: AbortSignal },
): Promise<void> {
  const { name, uid = "" } = block.metadata;
  if (uid === "") throw new TypeError(`Cannot release the block ${name} without its UID`);
  try {
    if ((await client.delete(addressBlocks, { name }, { uid, signal })) === "absent") return;
  } catch (error) {
    // The name belongs to another block now.
    if (isApiError(error, "Conflict")) return;
    throw error;
  }
  let finalizers = block.metadata.finalizers ?? [];
  for (let attempt = 1; finalizers.includes(FINALIZER); attempt++) {
    try {
      const rest = finalizers.filter((finalizer) => finalizer !== FINALIZER);
      await client.patch(addressBlocks, { name }, finalizersPatch({ uid, finalizers, rest }), { signal });
      return;
    } catch (error) {
      if (isApiError(error, "NotFound")) return;
      if (attempt >= ATTEMPTS || !isApiError(error, "Invalid", "Conflict")) throw error;
    }
    const current = await client.get(addressBlocks, { name }, { signal, metadataOnly: true });
    finalizers = current?.metadata.uid === uid ? (current.metadata.finalizers ?? []) : [];
  }
}

/** Replaces the finalizers of one object if nothing has changed them; else the server answers 422 `Invalid`. */
export function finalizersPatch({
  uid,
  finalizers,
  rest,
}: {
  uid: string;
  finalizers: readonly string[];
  rest: readonly string[];
}) {
  const body = [
    { op: "test", path: "/metadata/uid", value: uid },
    { op: "test", path: "/metadata/finalizers", value: finalizers },
    { op: "replace", path: "/metadata/finalizers", value: rest },
  ];
  return { type: "json", body } as const;
}
