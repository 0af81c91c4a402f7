/** The platform refused something: a connection, a file. Branch on `code`. */
export class SystemError extends Error {
  override readonly name = "SystemError";
  /** Name of the errno: `ENOENT`, `ECONNREFUSED`, ...; `ETIMEDOUT` for whatever took too long. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
