import type { Clock } from "../../kube/clock.ts";
import type { Logger } from "../../observe/logger.ts";
import type { RpcServer } from "../../rpc/server.ts";

/** Keeps a server at its socket. */
export interface SocketKeeper {
  /** Why callers do not reach this server, if so. */
  problem(): string | undefined;
  /** Serves until aborted. Rejects when the socket cannot be bound at first. */
  run(signal: AbortSignal): Promise<void>;
}

const LOOK_MS = 5_000;

/** `start` binds the socket. It is bound again when somebody removes it; another server that takes it over keeps it. */
export function createSocketKeeper(
  start: () => Promise<RpcServer>,
  { exists, clock, log }: { exists: () => Promise<boolean>; clock: Clock; log: Logger },
): SocketKeeper {
  let problem: string | undefined = "not listening yet";
  return {
    problem: () => problem,
    async run(signal) {
      let server = await start();
      problem = undefined;
      try {
        while (!signal.aborted) {
          await clock.sleep(LOOK_MS, { signal }).catch(() => undefined);
          if (signal.aborted || (await server.isBound())) continue;
          if (await exists()) {
            if (!problem) log.error("another process has taken the socket");
            problem = "another process has taken the socket";
            continue;
          }
          log.warn("somebody removed the socket: binding it again");
          const old = server;
          server = await start();
          problem = undefined;
          void old[Symbol.asyncDispose]();
        }
      } finally {
        problem = "stopping";
        await server[Symbol.asyncDispose]();
      }
    },
  };
}
