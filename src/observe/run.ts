import { formatDuration } from "./duration.ts";
import { type FlagSet, type FlagValues, flagsHelp, parseFlags } from "./flags.ts";
import { LOG_FLAGS, logLevelOf } from "./log-flags.ts";
import { createLogger, type Logger } from "./logger.ts";
import { VERSION } from "./version.ts";

export interface ProgramDefinition<D extends FlagSet> {
  readonly name: string;
  /** One sentence for `--help`. */
  readonly purpose: string;
  /** Its own flags; those of the log are added. */
  readonly flags: D;
  /** Arguments without the program: `process.argv.slice(2)`. */
  readonly argv: readonly string[];
  /** How long it may take to end after SIGTERM, in ms. */
  readonly graceMs: number;
}

/** What a program's main function gets. */
export interface ProgramContext<D extends FlagSet> {
  readonly flags: FlagValues<D>;
  readonly log: Logger;
  /** Aborted by SIGTERM, by SIGINT and when main ends. */
  readonly signal: AbortSignal;
}

/**
 * Runs a daemon from its arguments to its exit code and never returns: 0 after a signal or when `main` ends, 1 when it fails or does
 * not end in time, 2 for wrong arguments. A second signal ends the process at once.
 */
export async function runProgram<D extends FlagSet>(
  { name, purpose, flags, argv, graceMs }: ProgramDefinition<D>,
  main: (context: ProgramContext<D>) => Promise<void>,
): Promise<never> {
  const all: D & typeof LOG_FLAGS = { ...LOG_FLAGS, ...flags };
  const parsed = parseFlags(all, argv);
  switch (parsed.kind) {
    case "help":
      process.stdout.write(flagsHelp(name, purpose, all));
      return process.exit(0);
    case "version":
      process.stdout.write(`${name} ${VERSION}\n`);
      return process.exit(0);
    case "invalid":
      process.stderr.write(`${name}: ${parsed.problem}. See ${name} --help\n`);
      return process.exit(2);
    case "values":
      break;
  }
  const values = parsed.values as FlagValues<D> & FlagValues<typeof LOG_FLAGS>;
  const log = createLogger({ name, level: logLevelOf(values) });
  const own = Object.fromEntries(Object.entries(values).filter(([flag]) => Object.hasOwn(flags, flag) && !flags[flag]?.ignored));
  log.info({ version: VERSION, flags: own }, "starting");
  if (parsed.ignored.length > 0) log.info({ flags: parsed.ignored }, "these flags have no effect");
  return process.exit(await runUntilSignal((signal) => main({ flags: values, log, signal }), { log, graceMs }));
}

/** Runs `main` with a signal that SIGTERM and SIGINT abort; gives the exit code. */
export async function runUntilSignal(
  main: (signal: AbortSignal) => Promise<void>,
  { log, graceMs }: { log: Logger; graceMs: number },
): Promise<number> {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) return process.exit(1);
    log.info({ signal: name }, "stopping");
    controller.abort(new Error(`Stopped by ${name}`));
    setTimeout(() => {
      log.error({ grace: formatDuration(graceMs) }, "did not stop in time");
      process.exit(1);
    }, graceMs).unref();
  };
  const onFault = (err: unknown) => {
    log.fatal({ err }, "unexpected failure");
    process.exit(1);
  };
  process.on("SIGTERM", onSignal).on("SIGINT", onSignal).on("uncaughtException", onFault).on("unhandledRejection", onFault);
  try {
    await main(controller.signal);
    log.info("stopped");
    return 0;
  } catch (err) {
    if (controller.signal.aborted && err === controller.signal.reason) {
      log.info("stopped");
      return 0;
    }
    log.fatal({ err }, "failed");
    return 1;
  } finally {
    controller.abort();
    process.off("SIGTERM", onSignal).off("SIGINT", onSignal).off("uncaughtException", onFault).off("unhandledRejection", onFault);
  }
}

/** Runs all until `signal` aborts; when one ends or fails the others are aborted, and the first failure is thrown after all ended. */
export async function runTogether(
  signal: AbortSignal,
  parts: readonly ((signal: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  const failures: unknown[] = [];
  try {
    await Promise.all(
      parts.map(async (part) => {
        try {
          await part(controller.signal);
        } catch (error) {
          if (!(controller.signal.aborted && error === controller.signal.reason)) failures.push(error);
        } finally {
          controller.abort(new Error("Another part of the program ended"));
        }
      }),
    );
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
  if (failures.length > 0) throw failures[0];
}
