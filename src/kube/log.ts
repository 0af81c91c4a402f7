/** The part of a pino logger that this folder writes to. Field `err` holds an error. */
export interface KubeLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Writes nothing. */
export const silentLog: KubeLog = { debug() {}, info() {}, warn() {}, error() {} };
