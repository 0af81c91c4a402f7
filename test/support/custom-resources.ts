import { setTimeout as sleep } from "node:timers/promises";
import { definitions } from "../../src/crd/definitions.ts";
import { isApiError } from "../../src/kube/api-error.ts";
import type { KubeClient } from "../../src/kube/client.ts";
import { type CustomResourceDefinition, customResourceDefinitions } from "../../src/kube/resources.ts";

const TIMEOUT_MS = 20_000;

/** Creates the CustomResourceDefinitions of the product and waits until they are served. */
export async function installCustomResources(client: KubeClient): Promise<void> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const objects = [...definitions.values()] as CustomResourceDefinition[];
  await Promise.all(objects.map((object) => client.create(customResourceDefinitions, object, { signal })));
  for (const { spec } of objects) {
    const path = `/apis/${spec["group"]}/v2/${(spec["names"] as { plural: string }).plural}`;
    while (!(await isServed(client, path, signal))) await sleep(50, undefined, { signal });
  }
}

async function isServed(client: KubeClient, path: string, signal: AbortSignal): Promise<boolean> {
  try {
    return (await client.raw({ method: "GET", path }, { signal })).status === 200;
  } catch (error) {
    if (isApiError(error)) return false;
    throw error;
  }
}
