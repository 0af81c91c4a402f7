import type { NetworkConfig } from "../cni/config.ts";
import type { AttachmentRequest } from "../cni/environment.ts";
import { CNI_ERROR, CniError } from "../cni/error.ts";
import type { TimeLeft } from "../rpc/exchange.ts";
import { type DelIntent, formatIntent, intentDirectory, intentFileName } from "../rpc/intent.ts";
import { encodeUtf8 } from "../rpc/utf8.ts";
import { type Call, callCoild } from "./call.ts";
import type { Host } from "./host.ts";

/**
 * Carries out a DEL. While coild is down it is left behind as a file for the next coild, and counts as done. Throws `CniError`, 11 if
 * the file cannot be written.
 */
export async function del(host: Host, call: Call, request: AttachmentRequest, left: TimeLeft): Promise<void> {
  const first = await callCoild(host, call, left);
  if (first.kind === "answer") return;
  const file = { folder: intentDirectory(call.config.socket), name: intentFileName(request) };
  try {
    await host.writeFile(file, encodeUtf8(formatIntent(intentOf(request, call.config))));
  } catch (error) {
    throw new CniError(CNI_ERROR.tryAgainLater, `${first.error.message}, and the DEL cannot be kept for later`, {
      details: `cannot write ${file.folder}/${file.name}: ${error instanceof Error ? error.message : String(error)}`,
      cause: error,
    });
  }
  // A coild that came up in between may have looked into the folder before the file was there.
  const second = await callCoild(host, call, left);
  if (second.kind === "answer") await host.removeFile(file);
}

function intentOf({ containerId, ifname, netns, args }: AttachmentRequest, { name }: NetworkConfig): DelIntent {
  return { containerId, ifname, ...(netns === undefined ? {} : { netns }), args, network: name, at: new Date().toISOString() };
}
