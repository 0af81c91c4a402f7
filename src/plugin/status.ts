import { CNI_ERROR, CniError } from "../cni/error.ts";
import type { TimeLeft } from "../rpc/exchange.ts";
import { parseStatusReply } from "../rpc/protocol.ts";
import { type Call, callCoild } from "./call.ts";
import type { Host } from "./host.ts";

/** Asks whether an ADD would be served. Throws `CniError` 50 with the reason if not, 51 if pods that run may suffer as well. */
export async function status(host: Host, call: Call, left: TimeLeft): Promise<void> {
  const reply = parseStatusReply(await ask(host, call, left));
  if (reply.ready) return;
  const code = reply.limitedConnectivity ? CNI_ERROR.limitedConnectivity : CNI_ERROR.notAvailable;
  throw new CniError(code, `coild is not ready: ${reply.reason ?? "it gives no reason"}`);
}

/** For a STATUS a coild that cannot be asked is "not available", while other calls would be worth another try. */
async function ask(host: Host, call: Call, left: TimeLeft): Promise<unknown> {
  try {
    const outcome = await callCoild(host, call, left);
    if (outcome.kind === "answer") return outcome.body;
    throw outcome.error;
  } catch (error) {
    if (!(error instanceof CniError) || error.code !== CNI_ERROR.tryAgainLater) throw error;
    throw new CniError(CNI_ERROR.notAvailable, error.message, { details: error.details, cause: error });
  }
}
