import { GROUP, VERSION } from "../../src/crd/names.ts";
import type { Resource } from "../../src/crd/resources.ts";
import type { KubeStatus } from "../../src/kube/api-error.ts";
import type { KubeObject, ObjectRef } from "../../src/kube/object.ts";
import type { ApiServer } from "./api-server.ts";

const TIMEOUT_MS = 60_000;

/** What the API server says about an object: one line for each thing that is wrong, none if it takes the object. */
export type Verdict = readonly string[];

/** Whether the API server would create the object. */
export function tryCreate(server: ApiServer, resource: Resource<unknown>, object: object): Promise<Verdict> {
  return send(server, "POST", path(resource), { apiVersion: `${GROUP}/${VERSION}`, kind: resource.kind, ...object });
}

/** Whether the API server would take the spec in the place of the one that is there. */
export async function tryChange(
  server: ApiServer,
  resource: Resource<KubeObject>,
  ref: ObjectRef,
  change: Record<string, unknown>,
): Promise<Verdict> {
  const object = await server.client.get(resource, ref, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  return send(server, "PUT", `${path(resource)}/${ref.name}`, { ...object, ...change });
}

function path({ plural, namespaced }: Resource<unknown>): string {
  return `/apis/${GROUP}/${VERSION}${namespaced ? "/namespaces/default" : ""}/${plural}`;
}

async function send(server: ApiServer, method: string, target: string, body: object): Promise<Verdict> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const answer = await server.client.raw({ method, path: `${target}?dryRun=All&fieldValidation=Strict`, body }, { signal });
  if (answer.status < 300) return [];
  const status = JSON.parse(answer.body) as KubeStatus;
  const causes = status.details?.causes?.filter(({ field }) => field !== undefined && field !== "");
  if (!causes?.length) return [`${answer.status}: ${status.message}`];
  // Servers before 1.33 say "object" or "string" where later ones say the value, or nothing; our texts have the value.
  return causes.map(({ field, message = "" }) => `${field}: ${message.replace(SHOWN_VALUE, "")}`).sort();
}

const SHOWN_VALUE = /^Invalid value: ("[^"]*": |null: |[-0-9.]+: |\{.*\}: |\[.*\]: )?/;
