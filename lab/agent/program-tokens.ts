import type { KubeClient } from "../../src/kube/client.ts";
import { realClock } from "../../src/kube/clock.ts";
import type { KubeLog } from "../../src/kube/log.ts";
import { writeWhole } from "../cluster/files.ts";
import { programKubeconfig, programToken } from "../cluster/layout.ts";
import { kubeconfigText } from "../programs/credentials.ts";

const NAMESPACE = "kube-system";
const LIFE_S = 3600;
const RENEW_MS = (LIFE_S / 2) * 1000;
const RETRY_MS = 10_000;

export interface ProgramTokensOptions {
  readonly client: KubeClient;
  readonly log: KubeLog;
  /** URL of the API server. */
  readonly server: string;
  /** The programs of each node. A program's ServiceAccount has its name. */
  readonly programs: ReadonlyMap<string, readonly string[]>;
}

/** Gives this project's programs the tokens of their ServiceAccounts, as a kubelet does for pods, and renews them. */
export interface ProgramTokens {
  /** Writes kubeconfigs and tokens for a node. The tokens are bound to its Node object, so that the API server knows the node. */
  issue(node: string, uid: string, signal: AbortSignal): Promise<void>;
  /** Renews what was issued. */
  run(signal: AbortSignal): Promise<void>;
}

export function createProgramTokens({ client, log, server, programs }: ProgramTokensOptions): ProgramTokens {
  const uids = new Map<string, string>();

  const issue = async (node: string, uid: string, signal: AbortSignal): Promise<void> => {
    await Promise.all(
      (programs.get(node) ?? []).map(async (program) => {
        const token = await requestToken(client, program, { node, uid, signal });
        writeWhole(programToken(node, program), token);
        const text = kubeconfigText({ server, user: program, tokenFile: programToken(node, program) });
        writeWhole(programKubeconfig(node, program), text);
      }),
    );
    uids.set(node, uid);
  };

  return {
    issue,
    async run(signal) {
      for (let ms = RENEW_MS; !signal.aborted; ) {
        await realClock.sleep(ms, { signal }).catch(() => {});
        if (signal.aborted) return;
        try {
          for (const [node, uid] of uids) await issue(node, uid, signal);
          ms = RENEW_MS;
        } catch (err) {
          if (!signal.aborted) log.warn({ err }, "cannot renew the programs' tokens: will try again");
          ms = RETRY_MS;
        }
      }
    },
  };
}

async function requestToken(
  client: KubeClient,
  serviceAccount: string,
  { node, uid, signal }: { node: string; uid: string; signal: AbortSignal },
): Promise<string> {
  const path = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/${serviceAccount}/token`;
  const boundObjectRef = { apiVersion: "v1", kind: "Node", name: node, uid };
  const body = {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: { expirationSeconds: LIFE_S, audiences: [], boundObjectRef },
  };
  const answer = await client.raw({ method: "POST", path, body }, { signal });
  if (answer.status !== 201) throw new Error(`No token for ServiceAccount ${NAMESPACE}/${serviceAccount}: ${answer.body.trim()}`);
  return (JSON.parse(answer.body) as { status: { token: string } }).status.token;
}
