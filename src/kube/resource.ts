import type { KubeObject, ObjectRef } from "./object.ts";

/** A kind of object that the API server stores. `T` is the type of its objects and exists for the compiler only. */
export interface Resource<T extends KubeObject = KubeObject> {
  /** API group; empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** Name in URLs, lower case plural. */
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Never present: carries `T`. */
  readonly object?: T;
}

/** `v1` or `group/version`, as in the field `apiVersion`. */
export function apiVersionOf(resource: Resource): string {
  return resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
}

/** URL path of all objects of the resource, or of those of one namespace. */
export function collectionPath(resource: Resource, namespace?: string): string {
  const base = resource.group === "" ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const scope = resource.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${base}${scope}/${resource.plural}`;
}

/** URL path of one object. Throws `TypeError` when a namespace is missing or the name is empty, which would name the collection. */
export function objectPath(resource: Resource, ref: ObjectRef, subresource?: string): string {
  if (ref.name === "") throw new TypeError(`Cannot name an object of ${resource.plural} by an empty name`);
  const path = `${collectionPath(resource, scopeOf(resource, ref.namespace))}/${encodeURIComponent(ref.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** The namespace part of a path to one object or for a creation. Throws `TypeError` when a namespaced resource lacks it. */
export function scopeOf(resource: Resource, namespace: string | undefined): string | undefined {
  if (!resource.namespaced) return undefined;
  if (!namespace) throw new TypeError(`An object of ${resource.plural} needs a namespace`);
  return namespace;
}
