import type { PartialObject } from "../../kube/object.ts";

/** On the object that shows a static pod in the API: the UID by which kubelet and runtime know the pod. */
export const MIRROR_ANNOTATION = "kubernetes.io/config.mirror";

/** Whether the runtime means this pod; some runtimes tell no UID. */
export function isPod({ metadata }: PartialObject, uid: string | undefined): boolean {
  return !uid || metadata.uid === uid || metadata.annotations?.[MIRROR_ANNOTATION] === uid;
}

/** The UIDs by which a pod may be known: its own, and that of the static pod it stands for. */
export function podUids({ metadata }: PartialObject): string[] {
  return [metadata.uid, metadata.annotations?.[MIRROR_ANNOTATION]].filter((uid) => uid !== undefined);
}
