import { rmSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { AGENT_SOCKET } from "../cluster/layout.ts";
import { aborted } from "./aborted.ts";
import { AGENT_PATHS, type AgentStatus, type KubeletCommand } from "./protocol.ts";

/** What the commands of `coil-lab` ask the agent. */
export interface AgentHandlers {
  phase(): AgentStatus["phase"];
  status(): Promise<AgentStatus>;
  /** Throws for a node that is not there. */
  setKubelet(command: KubeletCommand): void;
}

/** Serves the agent's socket until aborted. */
export async function serveAgent(handlers: AgentHandlers, signal: AbortSignal): Promise<void> {
  const server = createServer((request, response) => {
    answer(handlers, request).then(
      (value) => response.end(JSON.stringify(value)),
      (error: unknown) => {
        response.statusCode = 400;
        response.end(JSON.stringify({ error: (error as Error).message }));
      },
    );
  });
  rmSync(AGENT_SOCKET, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(AGENT_SOCKET, resolve);
  });
  await aborted(signal);
  server.close();
  server.closeAllConnections();
}

async function answer(handlers: AgentHandlers, request: IncomingMessage): Promise<unknown> {
  switch (request.url ?? "") {
    case AGENT_PATHS.phase:
      return { phase: handlers.phase() };
    case AGENT_PATHS.status:
      return handlers.status();
    case AGENT_PATHS.kubelet:
      handlers.setKubelet(JSON.parse(await bodyOf(request)) as KubeletCommand);
      return {};
    default:
      throw new Error(`unknown path ${request.url}`);
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
