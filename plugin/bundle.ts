import { join } from "node:path";
import { build } from "esbuild";

/** Modules that are not in the bundle, by the name that the sources have for them. */
const NATIVE = { "quickjs:std": "std", "quickjs:os": "os", "quickjs:socket": "socket" };

/** The QuickJS host and everything it imports as one JavaScript module. */
export async function bundleHost(root: string): Promise<string> {
  const result = await build({
    entryPoints: [join(root, "plugin/host/main.ts")],
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    alias: NATIVE,
    external: Object.values(NATIVE),
    logLevel: "silent",
    absWorkingDir: root,
  });
  return (result.outputFiles[0] as { text: string }).text;
}
