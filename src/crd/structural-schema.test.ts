import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { structuralSchema } from "./structural-schema.ts";

test("`structuralSchema()` writes what users write: defaults are not required", () => {
  const schema = z.object({
    a: z.int32().min(0).default(5).meta({ format: "int32" }),
    b: z.string().max(3),
    c: z.string().exactOptional(),
  });
  assert.deepEqual(structuralSchema(schema), {
    type: "object",
    required: ["b"],
    properties: {
      a: { type: "integer", format: "int32", default: 5, minimum: 0 },
      b: { type: "string", maxLength: 3 },
      c: { type: "string" },
    },
  });
});

test("`structuralSchema()` leaves out bounds that the type implies, and keeps others", () => {
  const schema = z.object({ a: z.int32(), b: z.int().max(7) });
  assert.deepEqual(structuralSchema(schema)["properties"], { a: { type: "integer" }, b: { type: "integer", maximum: 7 } });
});

test("`structuralSchema()` keeps unknown fields of loose objects, and maps as maps", () => {
  const schema = z.object({ loose: z.looseObject({ name: z.string() }), map: z.record(z.string(), z.string().max(9)) });
  assert.deepEqual(structuralSchema(schema)["properties"], {
    loose: {
      type: "object",
      "x-kubernetes-preserve-unknown-fields": true,
      required: ["name"],
      properties: { name: { type: "string" } },
    },
    map: { type: "object", additionalProperties: { type: "string", maxLength: 9 } },
  });
});

test("`structuralSchema()` writes numbers-or-texts the one way the API server takes them", () => {
  const schema = z.union([z.int(), z.string()]).meta({ "x-kubernetes-int-or-string": true, maxLength: 64 });
  assert.deepEqual(structuralSchema(schema), {
    maxLength: 64,
    anyOf: [{ type: "integer" }, { type: "string" }],
    "x-kubernetes-int-or-string": true,
  });
});

test("`structuralSchema()` refuses what a structural schema cannot say", () => {
  assert.throws(() => structuralSchema(z.union([z.int(), z.string()])), TypeError);
  assert.throws(() => structuralSchema(z.literal("a")), TypeError);
  assert.throws(() => structuralSchema(z.object({ a: z.tuple([z.string()]) })), TypeError);
});
