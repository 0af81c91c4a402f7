import type { AttachmentCommand, NetworkCommand } from "../cni/command.ts";
import type { NetworkConfig } from "../cni/config.ts";
import { CNI_ERROR, CniError } from "../cni/error.ts";
import { parseJson } from "../cni/json.ts";
import { type Connection, exchange, type TimeLeft } from "../rpc/exchange.ts";
import { encodePost } from "../rpc/http-request.ts";
import { type HttpResponse, TruncatedError } from "../rpc/http-response.ts";
import { parseCallFailure, rpcPath } from "../rpc/protocol.ts";
import { SystemError } from "../rpc/system-error.ts";
import { decodeUtf8 } from "../rpc/utf8.ts";
import type { Host } from "./host.ts";

/** A call to coild. `body` is what goes over the wire. */
export interface Call {
  readonly command: AttachmentCommand | NetworkCommand;
  readonly config: NetworkConfig;
  readonly body: unknown;
}

/** What became of a call: the body of the answer, or that coild is not there, so that nothing can have happened. */
export type Outcome = { readonly kind: "answer"; readonly body: unknown } | { readonly kind: "down"; readonly error: CniError };

/**
 * Calls coild. Throws `CniError`: what coild answered, 11 if it may be different the next time, 6 if its answer is no JSON,
 * 999 if it is no HTTP.
 */
export async function callCoild(host: Host, { command, config, body }: Call, left: TimeLeft): Promise<Outcome> {
  let connection: Connection;
  try {
    connection = await host.connect(config.socket, left());
  } catch (error) {
    return unreachable(config, error);
  }
  try {
    const response = await exchange(connection, encodePost(rpcPath(command), body), left);
    return { kind: "answer", body: readAnswer(response) };
  } catch (error) {
    throw failure(config, error);
  } finally {
    connection.close();
  }
}

/** The body of the answer. Throws the `CniError` that says that coild is down. */
export function requireAnswer(outcome: Outcome): unknown {
  if (outcome.kind === "down") throw outcome.error;
  return outcome.body;
}

function readAnswer({ status, body }: HttpResponse): unknown {
  if (status === 200) return parseJson(decodeUtf8(body), "the answer of coild");
  let failure: unknown;
  try {
    failure = JSON.parse(decodeUtf8(body));
  } catch {
    failure = undefined;
  }
  throw parseCallFailure(status, failure);
}

/** Nobody listens: coild is not running. Whatever else prevents a connection is an error. */
function unreachable({ socket, timeout }: NetworkConfig, error: unknown): Outcome {
  const code = error instanceof SystemError ? error.code : "";
  const message = `Cannot reach coild at ${socket}`;
  const details = `check that the coild pod of this node is running and listens on ${socket} ("socket" of the network configuration)`;
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return { kind: "down", error: new CniError(CNI_ERROR.tryAgainLater, `${message}: there is no such socket`, { details }) };
    case "ECONNREFUSED":
      return { kind: "down", error: new CniError(CNI_ERROR.tryAgainLater, `${message}: nobody listens there`, { details }) };
    case "ETIMEDOUT":
      throw new CniError(CNI_ERROR.tryAgainLater, `${message}: it took no connection in ${timeout} s`, { details, cause: error });
    case "EACCES":
    case "EPERM":
      throw new CniError(CNI_ERROR.tryAgainLater, `${message}: permission denied`, {
        details: "run the plugin as root",
        cause: error,
      });
    default:
      throw new CniError(CNI_ERROR.tryAgainLater, `${message}: ${reasonOf(error)}`, { details, cause: error });
  }
}

function failure({ socket, timeout }: NetworkConfig, error: unknown): CniError {
  if (error instanceof CniError) return error;
  const details = `socket ${socket}; the log of coild may say more`;
  if (error instanceof SystemError && error.code === "ETIMEDOUT") {
    return new CniError(CNI_ERROR.tryAgainLater, `coild did not answer in ${timeout} s`, { details, cause: error });
  }
  if (error instanceof SystemError || error instanceof TruncatedError) {
    return new CniError(CNI_ERROR.tryAgainLater, `Lost the connection to coild: ${error.message}`, { details, cause: error });
  }
  return new CniError(CNI_ERROR.internal, `Cannot read the answer of coild: ${reasonOf(error)}`, { details, cause: error });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
