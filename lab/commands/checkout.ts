import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the project that this command belongs to. */
export const CHECKOUT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
