import { tryCommand } from "../machine/command.ts";
import { inNamespace } from "../machine/namespace.ts";

/** A plugin's own report of a failure, as the CNI specification has it. */
export class PluginError extends Error {
  override readonly name = "PluginError";
  readonly code: number;

  constructor(type: string, command: string, failure: { code: number; msg: string; details?: string }) {
    const details = failure.details ? `; ${failure.details}` : "";
    super(`plugin type=${JSON.stringify(type)} failed (${command.toLowerCase()}): ${failure.msg}${details}`);
    this.code = failure.code;
  }
}

export interface PluginCall {
  /** Path of the executable. */
  readonly path: string;
  readonly type: string;
  readonly command: string;
  /** The node in whose network namespace the plugin runs. */
  readonly node: string;
  /** The CNI_* variables except the command. */
  readonly env: Readonly<Record<string, string>>;
  /** Goes to standard input as JSON. */
  readonly config: object;
  readonly signal: AbortSignal;
}

const TIMEOUT_MS = 120_000;

/** Runs a plugin as container runtimes do. Gives its result, undefined for none. Throws `PluginError`. */
export async function executePlugin(call: PluginCall): Promise<unknown> {
  const { path, type, command, node, env, config, signal } = call;
  const { code, stdout, stderr } = await tryCommand(inNamespace(node, [path]), {
    env: { PATH: process.env["PATH"], ...env, CNI_COMMAND: command },
    input: JSON.stringify(config),
    signal,
    timeoutMs: TIMEOUT_MS,
  });
  const output = parse(stdout);
  if (code === 0) return output;
  const failure = output as { code?: number; msg?: string; details?: string } | undefined;
  const msg = failure?.msg ?? (stderr.trim() || `exit code ${code}`);
  throw new PluginError(type, command, {
    code: failure?.code ?? 999,
    msg,
    ...(failure?.details !== undefined && { details: failure.details }),
  });
}

function parse(text: string): unknown {
  try {
    return text.trim() === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
