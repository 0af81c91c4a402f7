/** Metadata that every object of the API server carries. Times are RFC 3339 text in UTC. */
export interface ObjectMeta {
  name: string;
  /** Absent for cluster-scoped objects. */
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
}

/** The object that this one belongs to, for garbage collection. */
export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** The shape all objects share. Items of a list may lack `apiVersion` and `kind`. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

/** An object of which only the metadata was asked for. */
export type PartialObject = KubeObject;

/** What names one object of a resource. */
export interface ObjectRef {
  readonly name: string;
  /** Required for namespaced resources. */
  readonly namespace?: string;
}
