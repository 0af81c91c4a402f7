import { formatDuration, parseDuration } from "./duration.ts";

/** One command line flag. `parse` throws `SyntaxError` with a sentence for the user. */
export interface Flag<T> {
  readonly default: T;
  readonly help: string;
  readonly placeholder: string;
  readonly parse: (text: string) => T;
  /** Text of a value for the help. */
  show(value: T): string;
  /** Accepted because manifests in use have it; without effect here. */
  readonly ignored?: boolean;
}

/** `--name text` or `--name=text`. */
export function textFlag(value: string, help: string, { choices }: { choices?: readonly string[] } = {}): Flag<string> {
  const parse = (text: string) => {
    if (choices && !choices.includes(text))
      throw new SyntaxError(`want one of ${choices.join(", ")}, not ${JSON.stringify(text)}`);
    return text;
  };
  return { default: value, help, placeholder: choices ? choices.join("|") : "text", parse, show: (text) => text };
}

/** A text that has to satisfy `check`, which throws `SyntaxError`. */
export function checkedTextFlag(value: string, help: string, check: (text: string) => unknown): Flag<string> {
  const parse = (text: string) => {
    check(text);
    return text;
  };
  return { ...textFlag(value, help), parse };
}

/** A decimal number from `min` to `max`. */
export function integerFlag(value: number, help: string, { min = 0, max = 0xffff_ffff } = {}): Flag<number> {
  const parse = (text: string) => {
    const parsed = /^-?[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(parsed >= min && parsed <= max))
      throw new SyntaxError(`want a number from ${min} to ${max}, not ${JSON.stringify(text)}`);
    return parsed;
  };
  return { default: value, help, placeholder: "number", parse, show: String };
}

/** A duration such as `5m`; the value is in milliseconds. */
export function durationFlag(text: string, help: string): Flag<number> {
  return { default: parseDuration(text), help, placeholder: "duration", parse: parseDuration, show: formatDuration };
}

const TRUE = ["1", "t", "T", "TRUE", "true", "True"];
const FALSE = ["0", "f", "F", "FALSE", "false", "False"];

/** `--name`, `--name=true` or `--name=false`. */
export function booleanFlag(value: boolean, help: string): Flag<boolean> {
  const parse = (text: string) => {
    if (TRUE.includes(text)) return true;
    if (FALSE.includes(text)) return false;
    throw new SyntaxError(`want true or false, not ${JSON.stringify(text)}`);
  };
  return { default: value, help, placeholder: "", parse, show: String };
}

/** A flag that is taken and not used. `isBoolean`: it may stand without a value. */
export function ignoredFlag(help: string, { isBoolean = false } = {}): Flag<string> {
  return { ...textFlag("", help), placeholder: isBoolean ? "" : "text", ignored: true };
}

export type FlagValues<D> = { readonly [K in keyof D]: D[K] extends Flag<infer T> ? T : never };

/** Flags by name, without the dashes. */
export type FlagSet = Readonly<Record<string, Flag<unknown>>>;

export type ParsedFlags<D> =
  | {
      readonly kind: "values";
      readonly values: FlagValues<D> /** Names of given flags that have no effect. */;
      readonly ignored: readonly string[];
    }
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  | { readonly kind: "invalid"; readonly problem: string };

/** Reads an argument list as Go programs do: one or two dashes, `=` or the next argument, the last of repeated ones wins. */
export function parseFlags<D extends FlagSet>(flags: D, argv: readonly string[]): ParsedFlags<D> {
  const values: Record<string, unknown> = Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, flag.default]));
  const ignored = new Set<string>();
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i] as string;
    const match = /^--?([A-Za-z][^=]*)(?:=(.*))?$/s.exec(argument);
    if (!match) return { kind: "invalid", problem: `unexpected argument ${JSON.stringify(argument)}` };
    const name = match[1] as string;
    if (name === "help" || name === "h") return { kind: "help" };
    if (name === "version") return { kind: "version" };
    const flag = Object.hasOwn(flags, name) ? flags[name] : undefined;
    if (!flag) return { kind: "invalid", problem: `unknown flag --${name}` };
    let text = match[2];
    if (text === undefined && flag.placeholder === "") text = "true";
    if (text === undefined) text = argv[++i];
    if (text === undefined) return { kind: "invalid", problem: `flag --${name} needs a value` };
    try {
      values[name] = flag.parse(text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return { kind: "invalid", problem: `flag --${name}: ${error.message}` };
    }
    if (flag.ignored) ignored.add(name);
  }
  return { kind: "values", values: Object.freeze(values) as FlagValues<D>, ignored: [...ignored] };
}

/** The text of `--help`. */
export function flagsHelp(program: string, purpose: string, flags: FlagSet): string {
  const lines = Object.entries(flags)
    .filter(([, flag]) => !flag.ignored)
    .map(([name, flag]) => {
      const left = flag.placeholder === "" ? `--${name}` : `--${name} ${flag.placeholder}`;
      const shown = flag.show(flag.default);
      return `  ${left.padEnd(42)} ${flag.help}${shown === "" ? "" : ` (default ${shown})`}`;
    });
  const accepted = Object.keys(flags).filter((name) => flags[name]?.ignored);
  const rest = accepted.length > 0 ? `\nAccepted without effect: ${accepted.map((name) => `--${name}`).join(", ")}\n` : "";
  return `${purpose}\n\nUsage: ${program} [flags]\n\n${lines.join("\n")}\n  ${"--version".padEnd(42)} print the version and exit\n${rest}`;
}
