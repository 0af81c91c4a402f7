import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { VERSION as COIL_VERSION, GROUP } from "../../src/crd/names.ts";
import type { KubeClient } from "../../src/kube/client.ts";
import { realClock } from "../../src/kube/clock.ts";
import type { KubeObject } from "../../src/kube/object.ts";
import type { Resource } from "../../src/kube/resource.ts";
import { customResourceDefinitions } from "../../src/kube/resources.ts";

/** What the lab installs from the checkout's manifests: everything but the workloads, which it runs as processes. */
const PATTERN = "manifests/{crd,policy,rbac}/*.yaml";
const CLUSTER_SCOPED = [
  "ClusterRole",
  "ClusterRoleBinding",
  "CustomResourceDefinition",
  "Namespace",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
];
const DEFAULT_NAMESPACE = "kube-system";
const POLL_MS = 50;

/** Applies the custom resources, the policies and the roles of a checkout. Pools are refused until `poolsAreAccepted`. */
export async function applyManifests(client: KubeClient, checkout: string, signal: AbortSignal): Promise<void> {
  const objects = globSync(join(checkout, PATTERN)).flatMap(readObjects);
  const applyAll = (chosen: readonly KubeObject[]) => Promise.all(chosen.map((object) => apply(client, object, signal)));
  const definitions = objects.filter(({ kind }) => kind === "CustomResourceDefinition");
  await applyAll(definitions);
  await Promise.all(definitions.map(({ metadata }) => until(() => isServed(client, metadata.name, signal), signal)));
  // A policy makes the API server look for the kind of its parameter at once, and for a kind that it did not find only every 10 s.
  await applyAll(objects.filter((object) => !definitions.includes(object)));
}

/** Resolves when the policies of pools work, up to seconds after they were applied. Nothing is stored. */
export async function poolsAreAccepted(client: KubeClient, signal: AbortSignal): Promise<void> {
  const pool = {
    apiVersion: `${GROUP}/${COIL_VERSION}`,
    kind: "AddressPool",
    metadata: { name: "coil-lab-trial" },
    spec: { subnets: [{ ipv4: "192.0.2.0/24" }] },
  };
  const path = `/apis/${GROUP}/${COIL_VERSION}/addresspools?dryRun=All`;
  await until(async () => {
    const { status, body } = await client.raw({ method: "POST", path, body: pool }, { signal });
    // A refusal for another reason, such as a pool of this network, is a policy at work.
    return status === 201 || (status === 422 && !body.includes("failed to configure policy"));
  }, signal);
}

function readObjects(path: string): KubeObject[] {
  return parseAllDocuments(readFileSync(path, "utf8")).flatMap((document) => {
    if (document.errors[0]) throw new Error(`Cannot read ${path}`, { cause: document.errors[0] });
    const object = document.toJS() as KubeObject | null;
    return object?.kind && object.kind !== "Kustomization" ? [object] : [];
  });
}

async function apply(client: KubeClient, object: KubeObject, signal: AbortSignal): Promise<void> {
  const resource = resourceOf(object);
  const namespace = resource.namespaced ? (object.metadata.namespace ?? DEFAULT_NAMESPACE) : undefined;
  const ref = { name: object.metadata.name, ...(namespace !== undefined && { namespace }) };
  const body = { ...object, metadata: { ...object.metadata, ...ref } };
  await client.patch(resource, ref, { type: "apply", body, fieldManager: "coil-lab", force: true }, { signal });
}

/** Good for the kinds that manifests hold: their plurals are regular. */
function resourceOf({ apiVersion = "v1", kind = "" }: KubeObject): Resource {
  const [group, version] = apiVersion.includes("/") ? (apiVersion.split("/") as [string, string]) : ["", apiVersion];
  const singular = kind.toLowerCase();
  const plural = singular.endsWith("y") ? `${singular.slice(0, -1)}ies` : `${singular}s`;
  return { group, version, plural, kind, namespaced: !CLUSTER_SCOPED.includes(kind) };
}

async function isServed(client: KubeClient, name: string, signal: AbortSignal): Promise<boolean> {
  const definition = await client.get(customResourceDefinitions, { name }, { signal });
  const established = definition?.status?.conditions?.find(({ type }) => type === "Established");
  if (established?.status !== "True") return false;
  const [plural = "", ...group] = name.split(".");
  const { body } = await client.raw({ method: "GET", path: `/apis/${group.join(".")}/${COIL_VERSION}` }, { signal });
  return body.includes(`"name":"${plural}"`);
}

async function until(isSo: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  while (!(await isSo())) await realClock.sleep(POLL_MS, { signal });
}
