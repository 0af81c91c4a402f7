import type { ApiServer } from "../../test/support/api-server.ts";
import { sumOfSeries } from "../programs/metrics-text.ts";

const RESOURCES = ["addressblocks", "addresspools", "blockrequests", "events", "namespaces", "nodes", "pods"];

/** Requests that the API server has answered so far, by its own count: of what Coil uses, without watches and leases. */
export async function apiCalls({ client }: ApiServer): Promise<number> {
  const { body } = await client.raw({ method: "GET", path: "/metrics" }, { signal: AbortSignal.timeout(10_000) });
  return sumOfSeries(
    body,
    "apiserver_request_total",
    ({ resource = "", verb }) => RESOURCES.includes(resource) && verb !== "WATCH",
  );
}
