import type { z } from "zod";
import { GROUP, VERSION } from "./names.ts";
import type { Resource } from "./resources.ts";
import { type StructuralSchema, structuralSchema } from "./structural-schema.ts";

/** A column of `kubectl get`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: "string" | "integer" | "date";
  readonly jsonPath: string;
  readonly description?: string;
}

/** What a CustomResourceDefinition says beyond names and schema. */
export interface DefinitionOptions {
  readonly schema: z.ZodType;
  readonly columns?: readonly PrinterColumn[];
  readonly subresources?: { readonly status?: object; readonly scale?: object };
  readonly selectableFields?: readonly string[];
}

/** The CustomResourceDefinition of a resource, as an object to write as YAML. */
export function customResourceDefinition(resource: Resource<unknown>, options: DefinitionOptions): object {
  const { kind, plural, namespaced } = resource;
  const { columns, selectableFields } = options;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
      scope: namespaced ? "Namespaced" : "Cluster",
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: options.subresources ?? {},
          ...(columns && { additionalPrinterColumns: columns }),
          ...(selectableFields && { selectableFields: selectableFields.map((jsonPath) => ({ jsonPath })) }),
          schema: { openAPIV3Schema: objectSchema(options.schema) },
        },
      ],
    },
  };
}

function objectSchema(schema: z.ZodType): StructuralSchema {
  const { properties, ...rest } = structuralSchema(schema);
  return {
    ...rest,
    properties: {
      apiVersion: { description: "The version of the schema of this object.", type: "string" },
      kind: { description: "The kind of this object.", type: "string" },
      metadata: { type: "object" },
      ...(properties as object),
    },
  };
}
