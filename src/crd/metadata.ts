/** What this product reads and writes of an object's metadata. The same shape as the metadata of the Kubernetes client. */
export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
  /** RFC 3339 text. */
  creationTimestamp?: string;
  /** RFC 3339 text; set while finalizers hold a deleted object. */
  deletionTimestamp?: string;
}

/** An object that owns another one: the garbage collector deletes the owned with the owner. */
export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}
