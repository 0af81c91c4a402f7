import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from "pino";

export type { Logger };

/** Least severe first. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal";

export interface LoggerOptions {
  /** The program, a field of each line. */
  name: string;
  /** Lines below it are dropped. */
  level?: LogLevel;
  /** Where lines go; standard error if absent. */
  destination?: DestinationStream;
}

/** JSON lines with `level`, `time` (RFC 3339), `program`, `msg`. Pass `log.child({component})` down. Errors go under `err`. */
export function createLogger({ name, level = "info", destination: stream }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: { program: name },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    // Synchronous, so that the last lines before an exit are never lost.
    stream ?? destination({ dest: 2, sync: true }),
  );
}

/** A logger that drops everything, for tests. */
export function createSilentLogger(): Logger {
  return pino({ level: "silent" });
}
