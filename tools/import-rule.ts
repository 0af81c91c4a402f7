/**
 * The import rule: imports go downward only. `docs/architecture.md` draws the graph; this file is the rule that the build enforces.
 * A layer may import itself, the layers that it names, and the packages that it names; tests may import anything.
 */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

interface Layer {
  /** Folder, relative to the root of the project. */
  readonly folder: string;
  readonly imports: readonly string[];
  readonly packages: readonly string[];
  /** Whether the layer may use `node:` modules. */
  readonly node: boolean;
}

const pure = (folder: string, imports: readonly string[], packages: readonly string[] = []): Layer => ({
  folder,
  imports,
  packages,
  node: false,
});
const edge = (folder: string, imports: readonly string[], packages: readonly string[] = []): Layer => ({
  folder,
  imports,
  packages,
  node: true,
});

const PURE = ["src/egress", "src/podnet", "src/ipam", "src/cni", "src/crd", "src/ip"];
const EDGES = ["src/kube", "src/linux", "src/rpc", "src/observe"];
/** Modules that the QuickJS host has, where Node has `node:` ones. */
const QUICKJS = ["quickjs:os", "quickjs:socket", "quickjs:std"];
const PROGRAMS = ["src/daemon", "src/gateway", "src/router", "src/installer", "src/plugin"];
const EVERYTHING = [...PROGRAMS, "src/reconcile", "src/apply", ...EDGES, ...PURE];

const LAYERS: readonly Layer[] = [
  pure("src/ip", []),
  pure("src/crd", ["src/ip"], ["zod"]),
  pure("src/cni", ["src/ip"]),
  pure("src/ipam", ["src/crd", "src/ip"]),
  pure("src/podnet", ["src/ipam", "src/crd", "src/ip"]),
  pure("src/egress", ["src/podnet", "src/crd", "src/ip"]),
  edge("src/linux/syscall", ["src/linux/kernel-error.ts"], ["koffi"]),
  edge("src/linux", ["src/linux/syscall", "src/ip"]),
  edge("src/kube", [], ["yaml", "kubernetes-types"]),
  edge("src/rpc", ["src/cni", "src/ip"]),
  edge("src/observe", [], ["pino", "prom-client", "zod"]),
  edge("src/apply", [...EDGES, ...PURE]),
  edge("src/reconcile", ["src/apply", ...EDGES, ...PURE], ["kubernetes-types"]),
  pure("src/plugin", ["src/rpc", "src/cni", "src/ip"]),
  edge("src/daemon", ["src/reconcile", "src/apply", ...EDGES, ...PURE], ["zod", "kubernetes-types"]),
  edge("src/router", ["src/reconcile", "src/apply", ...EDGES, ...PURE], ["zod", "kubernetes-types"]),
  edge("src/gateway", ["src/reconcile", "src/apply", ...EDGES, ...PURE], ["zod"]),
  edge("src/installer", [...EDGES, ...PURE], ["zod"]),
  edge("bin", EVERYTHING),
  pure("plugin/host", EVERYTHING, QUICKJS),
  edge("plugin", EVERYTHING, ["esbuild"]),
  edge("lab", ["bin", "plugin", ...EVERYTHING], ["yaml", "kubernetes-types"]),
  edge("tools", ["lab", "plugin", ...EVERYTHING], ["yaml", "zod", "esbuild"]),
  edge("bench", ["test/support", "lab", "plugin", "bin", ...EVERYTHING], ["yaml"]),
];

/** The layer of a path: the longest folder that holds it. */
function layerOf(path: string): Layer | undefined {
  return LAYERS.filter(({ folder }) => path.startsWith(`${folder}/`)).sort((a, b) => b.folder.length - a.folder.length)[0];
}

const IMPORT = /(?:^|\n)\s*(?:import|export)\s(?:[^"'`;]*?\sfrom\s*)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/g;
const TYPE_ONLY = /^\s*(?:import|export)\s+type\s/;

/** What is wrong with one import, or undefined. */
function problem(file: string, layer: Layer, specifier: string, typeOnly: boolean): string | undefined {
  if (specifier.startsWith(".")) {
    const target = normalize(join(dirname(file), specifier));
    // The version of the product has one place.
    if (target === "package.json" && file === "src/observe/version.ts") return undefined;
    if (!specifier.endsWith(".ts")) return `imports ${specifier} without its ending`;
    const folder = layerOf(target)?.folder;
    if (folder === layer.folder || layer.imports.some((allowed) => target === allowed || target.startsWith(`${allowed}/`)))
      return undefined;
    return `imports ${target}; ${layer.folder} may import only ${layer.imports.join(", ") || "itself"}`;
  }
  if (specifier.startsWith("node:")) {
    return layer.node ? undefined : `imports ${specifier}; ${layer.folder} runs without a platform`;
  }
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  if (name === "kubernetes-types" && !typeOnly) return `imports ${name} at run time; it has types only (import type)`;
  return layer.packages.includes(name)
    ? undefined
    : `imports the package ${name}; ${layer.folder} may use only ${layer.packages.join(", ") || "none"}`;
}

const problems: string[] = [];
let files = 0;
for (const file of globSync("{bin,src,plugin,lab,tools,bench}/**/*.ts").sort()) {
  if (file.endsWith(".test.ts") || file.endsWith(".d.ts")) continue;
  files++;
  const layer = layerOf(file);
  if (!layer) {
    problems.push(`${file}: lies in no layer; give its folder a place in tools/import-rule.ts and docs/architecture.md`);
    continue;
  }
  const text = readFileSync(file, "utf8");
  for (const match of text.matchAll(IMPORT)) {
    const reason = problem(file, layer, (match[1] ?? match[2]) as string, TYPE_ONLY.test(match[0]));
    if (reason) problems.push(`${file}: ${reason}`);
  }
}
for (const line of problems) console.log(line);
if (problems.length === 0) console.log(`${files} files follow the import rule`);
process.exitCode = problems.length === 0 ? 0 : 1;
