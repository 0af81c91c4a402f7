import { z } from "zod";

/** A schema as `apiextensions.k8s.io/v1` takes it: OpenAPI v3, structural, nothing it would refuse or silently drop. */
export type StructuralSchema = { readonly [key: string]: unknown };

// The order of keys in manifests; what is not listed is refused.
const KEYS = [
  "description",
  "type",
  "format",
  "default",
  "enum",
  "pattern",
  "minimum",
  "maximum",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
  "maxProperties",
  "anyOf",
  "x-kubernetes-int-or-string",
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-list-type",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-map-type",
  "x-kubernetes-validations",
  "required",
  "properties",
  "additionalProperties",
  "items",
];
// What zod writes beyond that and the API server does not know.
const DROPPED = new Set(["$schema", "propertyNames", "readOnly"]);
const INT_OR_STRING = [{ type: "integer" }, { type: "string" }];
const IMPLIED_BOUNDS = new Set([-(2 ** 31), 2 ** 31 - 1, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]);

/**
 * The structural schema of what users write for a zod schema. Extensions such as `x-kubernetes-validations` come from `.meta()`.
 * Throws `TypeError` for JSON-schema keywords that structural schemas do not have.
 */
export function structuralSchema(schema: z.ZodType): StructuralSchema {
  return convert(z.toJSONSchema(schema, { io: "input" }) as Record<string, unknown>);
}

function convert(json: Record<string, unknown>): StructuralSchema {
  const found: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(json)) {
    if (DROPPED.has(key)) continue;
    if (!KEYS.includes(key))
      throw new TypeError(`Cannot write the keyword ${key} in a structural schema: ${JSON.stringify(value)}`);
    if ((key === "minimum" || key === "maximum") && IMPLIED_BOUNDS.has(value as number)) continue;
    found[key] = value;
  }
  if (found["x-kubernetes-int-or-string"]) found["anyOf"] = INT_OR_STRING;
  else if (found["anyOf"]) throw new TypeError("Cannot write anyOf in a structural schema");
  if (found["properties"]) {
    const properties = Object.entries(found["properties"] as Record<string, Record<string, unknown>>);
    // The API server drops empty ones, so that each `kubectl apply` would find something to change.
    if (properties.length === 0) delete found["properties"];
    else found["properties"] = Object.fromEntries(properties.map(([name, property]) => [name, convert(property)]));
  }
  if (found["items"]) found["items"] = convert(found["items"] as Record<string, unknown>);
  const more = found["additionalProperties"] as Record<string, unknown> | undefined;
  if (more && Object.keys(more).length > 0) found["additionalProperties"] = convert(more);
  else if (more) {
    // A loose object: what it does not name is kept as it is.
    delete found["additionalProperties"];
    found["x-kubernetes-preserve-unknown-fields"] = true;
  }
  return Object.fromEntries(KEYS.filter((key) => key in found).map((key) => [key, found[key]]));
}
