import type { Lease as CoordinationLease } from "kubernetes-types/coordination/v1.js";
import type {
  Event as CoreEvent,
  Namespace as CoreNamespace,
  Node as CoreNode,
  Pod as CorePod,
  Service as CoreService,
} from "kubernetes-types/core/v1.js";
import type { EndpointSlice as DiscoveryEndpointSlice } from "kubernetes-types/discovery/v1.js";
import type { KubeObject } from "./object.ts";
import type { Resource } from "./resource.ts";

/** A library type as the server returns it: metadata is always there. */
type Stored<T> = Omit<T, "apiVersion" | "kind" | "metadata"> & KubeObject;

export interface Pod extends Stored<CorePod> {}
export interface Node extends Stored<CoreNode> {}
export interface Namespace extends Stored<CoreNamespace> {}
export interface Service extends Stored<CoreService> {}
export interface Event extends Stored<CoreEvent> {}
export interface Lease extends Stored<CoordinationLease> {}
export interface EndpointSlice extends Stored<DiscoveryEndpointSlice> {}
/** Only what installers look at. */
export interface CustomResourceDefinition extends KubeObject {
  spec: Record<string, unknown>;
  status?: { conditions?: { type: string; status: string; reason?: string; message?: string }[] };
}

export const pods: Resource<Pod> = core("pods", "Pod", true);
export const nodes: Resource<Node> = core("nodes", "Node", false);
export const namespaces: Resource<Namespace> = core("namespaces", "Namespace", false);
export const services: Resource<Service> = core("services", "Service", true);
export const events: Resource<Event> = core("events", "Event", true);
export const leases: Resource<Lease> = {
  group: "coordination.k8s.io",
  version: "v1",
  plural: "leases",
  kind: "Lease",
  namespaced: true,
};
export const endpointSlices: Resource<EndpointSlice> = {
  group: "discovery.k8s.io",
  version: "v1",
  plural: "endpointslices",
  kind: "EndpointSlice",
  namespaced: true,
};
export const customResourceDefinitions: Resource<CustomResourceDefinition> = {
  group: "apiextensions.k8s.io",
  version: "v1",
  plural: "customresourcedefinitions",
  kind: "CustomResourceDefinition",
  namespaced: false,
};

function core<T extends KubeObject>(plural: string, kind: string, namespaced: boolean): Resource<T> {
  return { group: "", version: "v1", plural, kind, namespaced };
}
