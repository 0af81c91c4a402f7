import { request } from "node:http";
import { AGENT_SOCKET } from "../cluster/layout.ts";
import { AGENT_PATHS, type AgentStatus, type KubeletCommand } from "./protocol.ts";

/** Asks the agent how far it is; undefined when it does not answer. */
export async function agentPhase(): Promise<AgentStatus["phase"] | undefined> {
  const answer = await call("GET", AGENT_PATHS.phase).catch(() => undefined);
  return (answer as { phase: AgentStatus["phase"] } | undefined)?.phase;
}

/** Asks the agent about nodes and programs; undefined when it does not answer. */
export async function agentStatus(): Promise<AgentStatus | undefined> {
  return (await call("GET", AGENT_PATHS.status).catch(() => undefined)) as AgentStatus | undefined;
}

/** Starts or stops the light kubelet of a node. */
export async function setKubelet(command: KubeletCommand): Promise<void> {
  await call("POST", AGENT_PATHS.kubelet, command);
}

async function call(method: string, path: string, body?: unknown): Promise<unknown> {
  const text = await new Promise<string>((resolve, reject) => {
    const outgoing = request({ socketPath: AGENT_SOCKET, method, path, timeout: 10_000, agent: false }, (response) => {
      let received = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        received += chunk;
      });
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode === 200) resolve(received);
        else reject(new Error(`the lab's agent: ${received}`));
      });
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error("the lab's agent does not answer")));
    outgoing.on("error", reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
  return JSON.parse(text);
}
