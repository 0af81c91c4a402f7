/** What the agent says about the lab, `GET /status`. */
export interface AgentStatus {
  /** `installing` until the API server has the custom resources and the nodes, and the programs have their tokens. */
  readonly phase: "waiting" | "installing" | "running";
  /** What else is not as it should be. */
  readonly problems: readonly string[];
  readonly nodes: readonly NodeReport[];
  readonly programs: readonly ProgramReport[];
}

export interface NodeReport {
  readonly name: string;
  readonly pods: number;
  /** Why it is not ready; absent when it is. */
  readonly problem?: string;
}

export interface ProgramReport {
  readonly node: string;
  readonly name: string;
  /** Why it is not healthy; absent when it is. */
  readonly problem?: string;
}

/** `POST` with a body of this sort starts or stops the light kubelet of a node. */
export interface KubeletCommand {
  readonly node: string;
  readonly active: boolean;
}

export const AGENT_PATHS = { phase: "/phase", status: "/status", kubelet: "/kubelet" } as const;
