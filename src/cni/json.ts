import { CNI_ERROR, CniError } from "./error.ts";

/** A JSON object nothing is known about yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Parses JSON text. Throws `CniError` 6 with `what` in the message. */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = text.trim() === "" ? "it is empty" : (error as Error).message;
    throw new CniError(CNI_ERROR.decodingFailure, `Cannot read ${what} as JSON: ${reason}`, { cause: error });
  }
}

/** Whether the value is a JSON object: neither null nor an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value as an object. Throws `CniError` 6. */
export function asObject(value: unknown, what: string): JsonObject {
  if (!isObject(value)) throw wrongType(what, "an object", value);
  return value;
}

/** The value as a list; absent and null count as empty, because Go programs write empty lists so. Throws `CniError` 6. */
export function asList(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw wrongType(what, "a list", value);
  return value;
}

/** The value as text. Throws `CniError` 6. */
export function asString(value: unknown, what: string): string {
  if (typeof value !== "string") throw wrongType(what, "text", value);
  return value;
}

/** The value as text that may be missing; null and "" count as missing. Throws `CniError` 6. */
export function asOptionalString(value: unknown, what: string): string | undefined {
  return value === undefined || value === null || value === "" ? undefined : asString(value, what);
}

/** The value as a whole number of at least 0 that may be missing. Throws `CniError` 6. */
export function asOptionalCount(value: unknown, what: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw wrongType(what, "a whole number", value);
  return value;
}

function wrongType(what: string, wanted: string, value: unknown): CniError {
  const shown = JSON.stringify(value) ?? "nothing";
  const short = shown.length > 60 ? `${shown.slice(0, 57)}...` : shown;
  return new CniError(CNI_ERROR.decodingFailure, `Cannot read ${what}: want ${wanted}, found ${short}`);
}
