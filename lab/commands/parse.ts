import { parseArgs } from "node:util";
import { type LabFamily, type LabOptions, MAX_NODES } from "../cluster/plan.ts";
import { parseSignal } from "../machine/signals.ts";

/** What a user asks of `coil-lab`. */
export type Command =
  | { readonly kind: "help" }
  | { readonly kind: "up"; readonly options: Partial<LabOptions>; readonly download: boolean }
  | { readonly kind: "down"; readonly force: boolean }
  | { readonly kind: "status"; readonly json: boolean }
  | { readonly kind: "kubectl"; readonly argv: readonly string[] }
  | { readonly kind: "exec"; readonly node: string; readonly argv: readonly string[] }
  | { readonly kind: "pod-exec"; readonly namespace: string; readonly pod: string; readonly argv: readonly string[] }
  | { readonly kind: "outside"; readonly argv: readonly string[] }
  | { readonly kind: "logs"; readonly node: string; readonly program: string; readonly follow: boolean; readonly tail: string }
  | { readonly kind: "kill"; readonly node: string; readonly program: string; readonly signal: NodeJS.Signals }
  | { readonly kind: "start"; readonly node: string; readonly program: string };

/** Wrong arguments: the message is for the user. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const FAMILIES: readonly LabFamily[] = ["ipv4", "ipv6", "dual"];

/** Reads the arguments of `coil-lab`. Throws `UsageError`. */
export function parseCommand(argv: readonly string[]): Command {
  const [name, ...rest] = argv;
  if (name === undefined || ["help", "--help", "-h"].includes(name)) return { kind: "help" };
  const separator = rest.indexOf("--");
  const own = separator < 0 ? rest : rest.slice(0, separator);
  const program = separator < 0 ? undefined : rest.slice(separator + 1);
  if (name !== "kubectl" && own.some((text) => text === "--help" || text === "-h")) return { kind: "help" };
  try {
    return read(name, own, program);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${name}: ${(error as Error).message}`);
  }
}

function read(name: string, own: readonly string[], program: readonly string[] | undefined): Command {
  switch (name) {
    case "up": {
      const { values } = options(name, own, [], { nodes: "string", family: "string", download: "boolean" });
      return {
        kind: "up",
        options: { ...parseNodes(values["nodes"]), ...parseFamily(values["family"]) },
        download: values["download"] === true,
      };
    }
    case "down":
      return { kind: "down", force: options(name, own, [], { force: "boolean" }).values["force"] === true };
    case "status":
      return { kind: "status", json: options(name, own, [], { json: "boolean" }).values["json"] === true };
    case "kubectl":
      // Also without the dashes: all that follows is kubectl's.
      return { kind: "kubectl", argv: [...own, ...(program ?? [])] };
    case "exec": {
      const [node] = options(name, own, ["NODE"], {}).positionals;
      return { kind: "exec", node: node ?? "", argv: needed(name, program) };
    }
    case "pod-exec": {
      const [title = ""] = options(name, own, ["NAMESPACE/POD"], {}).positionals;
      const [namespace, pod, ...more] = title.split("/");
      if (!namespace || !pod || more.length > 0) throw new UsageError(`pod-exec: ${title} is not NAMESPACE/POD`);
      return { kind: "pod-exec", namespace, pod, argv: needed(name, program) };
    }
    case "outside":
      options(name, own, [], {});
      return { kind: "outside", argv: needed(name, program) };
    case "logs": {
      const { values, positionals } = options(name, own, ["NODE", "PROGRAM"], {
        follow: "boolean",
        f: "boolean",
        tail: "string",
      });
      const tail = values["tail"] ?? "all";
      if (tail !== "all" && !/^\d+$/.test(String(tail))) throw new UsageError(`logs: --tail ${tail} is not a number of lines`);
      const follow = values["follow"] === true || values["f"] === true;
      return { kind: "logs", ...nodeAndProgram(positionals), follow, tail: tail === "all" ? "+1" : String(tail) };
    }
    case "kill": {
      const { values, positionals } = options(name, own, ["NODE", "PROGRAM"], { signal: "string", s: "string" });
      const signal = parseSignal(String(values["signal"] ?? values["s"] ?? "TERM"));
      return { kind: "kill", ...nodeAndProgram(positionals), signal };
    }
    case "start":
      return { kind: "start", ...nodeAndProgram(options(name, own, ["NODE", "PROGRAM"], {}).positionals) };
    default:
      throw new UsageError(`there is no command ${name}`);
  }
}

function options(
  command: string,
  args: readonly string[],
  wanted: readonly string[],
  types: Readonly<Record<string, "string" | "boolean">>,
): { values: Record<string, string | boolean | undefined>; positionals: string[] } {
  const flags = Object.fromEntries(
    Object.entries(types).map(([name, type]) => [name, name.length === 1 ? { type, short: name } : { type }]),
  );
  const { values, positionals } = parseArgs({ args: [...args], options: flags, allowPositionals: true });
  if (positionals.length !== wanted.length) {
    const all = ["coil-lab", command, ...wanted].join(" ");
    throw new UsageError(`want ${all}${positionals.length > wanted.length ? `, not ${positionals.join(" ")}` : ""}`);
  }
  return { values: values as Record<string, string | boolean | undefined>, positionals };
}

function needed(command: string, program: readonly string[] | undefined): readonly string[] {
  if (program && program.length > 0) return program;
  throw new UsageError(`${command}: say what to run behind --, for example: coil-lab ${command} … -- ip addr`);
}

function nodeAndProgram([node = "", program = ""]: readonly string[]): { node: string; program: string } {
  return { node, program };
}

function parseNodes(text: string | boolean | undefined): Partial<LabOptions> {
  if (text === undefined) return {};
  const nodes = Number(text);
  if (Number.isInteger(nodes) && nodes >= 1 && nodes <= MAX_NODES) return { nodes };
  throw new UsageError(`up: --nodes ${text} is not a number from 1 to ${MAX_NODES}`);
}

function parseFamily(text: string | boolean | undefined): Partial<LabOptions> {
  if (text === undefined) return {};
  const family = FAMILIES.find((each) => each === text);
  if (family) return { family };
  throw new UsageError(`up: --family ${text} is none of ${FAMILIES.join(", ")}`);
}
