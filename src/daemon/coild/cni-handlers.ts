import { POD_ARGS } from "../../cni/args.ts";
import { CNI_ERROR, CniError } from "../../cni/error.ts";
import type { EventRecorder } from "../../kube/event-recorder.ts";
import { pods } from "../../kube/resources.ts";
import type { Logger } from "../../observe/logger.ts";
import type { Watchdog } from "../../observe/watchdog.ts";
import {
  type CniCall,
  type NetworkCall,
  parseCniCall,
  parseNetworkCall,
  RPC_PATHS,
  type StatusReply,
} from "../../rpc/protocol.ts";
import type { RpcHandler } from "../../rpc/server.ts";
import { AllocationError } from "./allocation-error.ts";
import type { AddProgress, Attachments } from "./attachments.ts";
import { cniFailure, type FailedCall } from "./cni-failure.ts";
import type { CoildMetrics } from "./metrics.ts";

export interface CniHandlersDeps {
  readonly attachments: Attachments;
  /** Why an ADD could not be served, if so. */
  readonly problem: () => string | undefined;
  readonly events: Pick<EventRecorder, "record">;
  readonly metrics: Pick<CoildMetrics, "called">;
  readonly watchdog: Watchdog;
  readonly log: Logger;
}

/** The calls of the plugin, by path: parse, carry out, count, log, and put failures in words. */
export function createCniHandlers(deps: CniHandlersDeps): Record<string, RpcHandler> {
  const { attachments, watchdog } = deps;

  /** Runs one call of an attachment; `progress` is filled on the way. */
  function attachmentCall(
    command: "ADD" | "DEL" | "CHECK",
    work: (call: CniCall, options: { signal: AbortSignal; progress: AddProgress }) => Promise<unknown>,
  ): RpcHandler {
    return (body, { signal }) =>
      watchdog.watch(command, async () => {
        const started = performance.now();
        const progress: AddProgress = {};
        let call: CniCall | undefined;
        try {
          call = parseCniCall(command, body);
          const result = await work(call, { signal, progress });
          finished(deps, { command, call, started });
          return result;
        } catch (error) {
          throw failed(deps, error, { command, call, started, progress, signal });
        }
      });
  }

  return {
    [RPC_PATHS.add]: attachmentCall("ADD", async (call, options) => ({ result: await attachments.add(call, options) })),
    // What the caller waits for has to be done anyway.
    [RPC_PATHS.del]: attachmentCall("DEL", async (call) => {
      await attachments.del(call);
      return {};
    }),
    [RPC_PATHS.check]: attachmentCall("CHECK", async (call, options) => {
      const problems = await attachments.check(call, options);
      if (problems.length === 0) return {};
      throw new CniError(CNI_ERROR.internal, `check failed: ${problems[0]}`, { details: problems.join("; ") });
    }),
    [RPC_PATHS.gc]: (body) =>
      watchdog.watch("GC", async () => {
        const started = performance.now();
        let call: NetworkCall | undefined;
        try {
          call = parseNetworkCall("GC", body);
          await attachments.collect(call);
          deps.metrics.called({ command: "GC", reason: "ok", durationMs: performance.now() - started });
          return {};
        } catch (error) {
          throw failed(deps, error, { command: "GC", call: undefined, started, progress: {}, signal: undefined });
        }
      }),
    [RPC_PATHS.status]: async (body): Promise<StatusReply> => {
      parseNetworkCall("STATUS", body);
      const problem = deps.problem();
      return problem === undefined ? { ready: true } : { ready: false, reason: problem };
    },
  };
}

function finished(
  { metrics, log }: CniHandlersDeps,
  { command, call, started }: { command: string; call: CniCall; started: number },
): void {
  const durationMs = performance.now() - started;
  metrics.called({ command, reason: "ok", durationMs });
  const level = command === "CHECK" ? "debug" : "info";
  log[level]({ ...fieldsOf(call), command, durationMs: Math.round(durationMs * 10) / 10 }, "finished call");
}

interface Failed {
  readonly command: FailedCall["command"];
  readonly call: CniCall | undefined;
  readonly started: number;
  readonly progress: AddProgress;
  readonly signal: AbortSignal | undefined;
}

/** Counts and logs a failure, and gives what the runtime gets to see. */
function failed({ metrics, log, events }: CniHandlersDeps, cause: unknown, failure: Failed): CniError {
  const { command, call, started, progress, signal } = failure;
  const { error, reason } = cniFailure(cause, { command, pod: podText(call), pool: progress.pool });
  const durationMs = performance.now() - started;
  metrics.called({ command, reason: signal?.aborted ? "caller-gone" : reason, durationMs });
  log.warn({ ...(call && fieldsOf(call)), command, code: error.code, err: error }, "call failed");
  if (cause instanceof AllocationError && call && progress.podUid) {
    const { [POD_ARGS.name]: name = "", [POD_ARGS.namespace]: namespace = "" } = call.args;
    const text = { type: "Warning", reason: "FailedAddressAllocation", message: error.message } as const;
    events.record(pods, { metadata: { name, namespace, uid: progress.podUid } }, text);
  }
  return error;
}

function podText(call: CniCall | undefined): string {
  const { [POD_ARGS.name]: name, [POD_ARGS.namespace]: namespace } = call?.args ?? {};
  return name && namespace ? `${namespace}/${name}` : `of container ${call?.containerId ?? "(unknown)"}`;
}

function fieldsOf({ args, containerId, ifname, netns }: CniCall) {
  return { pod: args[POD_ARGS.name], namespace: args[POD_ARGS.namespace], containerId, ifname, netns };
}
