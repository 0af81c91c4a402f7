import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { createServer } from "node:https";
import { join } from "node:path";
import { CERTIFICATES_DIRECTORY } from "../cluster/layout.ts";
import { aborted } from "./aborted.ts";
import { containerLog } from "./container-process.ts";
import type { PodRecord } from "./pod-record.ts";

/** Where the API server asks for the logs of containers. */
export const KUBELET_PORT = 10250;

/** Serves `kubectl logs` for all nodes, the part of a kubelet's API that light nodes have, until aborted. */
export async function serveLogs(records: () => Iterable<PodRecord>, signal: AbortSignal): Promise<void> {
  const file = (name: string) => readFileSync(join(CERTIFICATES_DIRECTORY, name));
  // The API server's own certificate: it does not look at a kubelet's, and only the fabric reaches this port.
  const server = createServer({ cert: file("apiserver.crt"), key: file("apiserver.key") }, (request, response) => {
    const url = new URL(request.url ?? "/", "https://kubelet");
    const id = logOf(records(), url);
    if (id === undefined) response.writeHead(404).end("there is no such log; light nodes serve nothing else\n");
    else sendLog(id, url.searchParams, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(KUBELET_PORT, "::", resolve);
  });
  await aborted(signal);
  server.close();
  server.closeAllConnections();
}

/** The container run that `/containerLogs/NAMESPACE/POD/CONTAINER` means. */
function logOf(records: Iterable<PodRecord>, { pathname, searchParams }: URL): string | undefined {
  const [, kind, namespace, pod, container = ""] = pathname.split("/").map(decodeURIComponent);
  if (kind !== "containerLogs") return undefined;
  const run = [...records].find((each) => each.namespace === namespace && each.name === pod)?.containers[container];
  return searchParams.get("previous") === "true" ? run?.last?.id : run?.id;
}

function sendLog(id: string, options: URLSearchParams, response: ServerResponse): void {
  const follow = options.get("follow") === "true" ? ["-f"] : [];
  const child = spawn("tail", ["-n", options.get("tailLines") ?? "+1", ...follow, containerLog(id)], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  response.writeHead(200, { "content-type": "text/plain" });
  // Whoever follows wants to know at once that there is a log, even if it is empty.
  response.flushHeaders();
  child.stdout.pipe(response);
  response.on("close", () => child.kill());
}
