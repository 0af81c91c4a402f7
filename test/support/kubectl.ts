import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { ensureControlPlane } from "../../lab/control-plane/build.ts";
import type { ApiServer } from "./api-server.ts";

const MANIFESTS = join(import.meta.dirname, "../../manifests");
const TIMEOUT_MS = 60_000;

/** What the real kubectl prints. `input` is its standard input. Throws an `Error` with what it prints about a failure. */
export async function kubectl(server: ApiServer, args: readonly string[], input?: string): Promise<string> {
  const [command, ...first] = await program();
  const child = spawn(command, [...first, `--kubeconfig=${server.kubeconfig}`, ...args], {
    env: { ...process.env, HOME: server.directory },
    stdio: ["pipe", "pipe", "pipe"],
    timeout: TIMEOUT_MS,
  });
  child.stdin.end(input ?? "");
  const ended = new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  const [code, output, errors] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${errors.trim() || `exit code ${code}`}`);
  return output;
}

/** Applies everything in `manifests` as users do, and waits until the custom resources are served. Gives kubectl's report. */
export async function applyManifests(server: ApiServer): Promise<string> {
  const report = await kubectl(server, ["apply", "-k", MANIFESTS]);
  await kubectl(server, ["wait", "--for=condition=Established", "--timeout=30s", "-f", join(MANIFESTS, "crd")]);
  return report;
}

async function program(): Promise<[string, ...string[]]> {
  const assets = process.env["KUBEBUILDER_ASSETS"];
  return assets ? [join(assets, "kubectl")] : [await ensureControlPlane({ env: process.env }), "kubectl"];
}
