import { type FlagValues, ignoredFlag, integerFlag, textFlag } from "./flags.ts";
import type { LogLevel } from "./logger.ts";

/** Flags of every daemon: names that users of the Go implementation have in their manifests. */
export const LOG_FLAGS = {
  "zap-log-level": textFlag(
    "info",
    "least severe level that is logged: trace, debug, info, warn, error; or a zap verbosity, 1 and up",
  ),
  v: integerFlag(0, "log verbosity; 4 and above is debug", { max: 100 }),
  "zap-devel": ignoredFlag("development mode", { isBoolean: true }),
  "zap-encoder": ignoredFlag("lines are JSON"),
  "zap-stacktrace-level": ignoredFlag("stacks are part of errors"),
  "zap-time-encoding": ignoredFlag("time is RFC 3339"),
  vmodule: ignoredFlag("klog"),
  logtostderr: ignoredFlag("klog", { isBoolean: true }),
  alsologtostderr: ignoredFlag("klog", { isBoolean: true }),
  stderrthreshold: ignoredFlag("klog"),
  log_dir: ignoredFlag("klog"),
  log_file: ignoredFlag("klog"),
  log_file_max_size: ignoredFlag("klog"),
  log_backtrace_at: ignoredFlag("klog"),
  add_dir_header: ignoredFlag("klog", { isBoolean: true }),
  skip_headers: ignoredFlag("klog", { isBoolean: true }),
  skip_log_headers: ignoredFlag("klog", { isBoolean: true }),
  one_output: ignoredFlag("klog", { isBoolean: true }),
};

const LEVELS: Readonly<Record<string, LogLevel>> = {
  trace: "trace",
  debug: "debug",
  info: "info",
  warn: "warn",
  warning: "warn",
  error: "error",
  panic: "fatal",
  fatal: "fatal",
};

/** The level that the flags ask for. An unknown name means info, as a log flag never keeps a daemon from starting. */
export function logLevelOf(values: FlagValues<typeof LOG_FLAGS>): LogLevel {
  const text = values["zap-log-level"];
  if (values.v >= 4 || /^[1-9][0-9]*$/.test(text)) return "debug";
  return LEVELS[text] ?? "info";
}
