import type { ValidationRule } from "../../src/crd/cel.ts";
import { definitions } from "../../src/crd/definitions.ts";

export const REFERENCE = "docs/reference/custom-resources.md";

interface Field {
  readonly description?: string;
  readonly type?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxLength?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Field>>;
  readonly additionalProperties?: Field;
  readonly items?: Field;
  readonly "x-kubernetes-validations"?: readonly ValidationRule[];
}

interface Definition {
  readonly spec: { readonly versions: readonly [{ readonly schema: { readonly openAPIV3Schema: Field } }] };
}

/** The reference with its tables of fields rewritten: they stand between `<!-- fields of PLURAL -->` and `<!-- end -->`. */
export function reference(text: string): string {
  let current = text;
  for (const [plural, definition] of definitions) {
    const [begin, end] = [`<!-- fields of ${plural} -->\n`, "<!-- end -->"];
    const start = current.indexOf(begin);
    const stop = current.indexOf(end, start);
    if (start < 0 || stop < 0) throw new Error(`${REFERENCE} has no place for the fields of ${plural}: ${begin.trim()} … ${end}`);
    const { properties = {}, ...root } = (definition as Definition).spec.versions[0].schema.openAPIV3Schema;
    const { apiVersion: _, kind: __, metadata: ___, ...own } = properties;
    const rows = [...whole(root), ...Object.entries(own).flatMap(([name, field]) => fieldRows(name, field, root))];
    const table = ["| field | type | meaning | rules |", "|---|---|---|---|", ...rows].join("\n");
    current = `${current.slice(0, start + begin.length)}\n${table}\n\n${current.slice(stop)}`;
  }
  return current;
}

function whole(root: Field): string[] {
  const rules = messages(root);
  return rules.length > 0 ? [row("(the object)", "", "", rules)] : [];
}

function fieldRows(path: string, field: Field, parent: Field): string[] {
  const name = path.split(".").at(-1)?.replace("[]", "") ?? "";
  const required = parent.required?.includes(name) ? ["required"] : [];
  const { items, additionalProperties: values } = field;
  const inner = [items, values]
    .filter((schema) => schema !== undefined)
    .flatMap((schema) => [...limits(schema), ...messages(schema)]);
  const own = row(`\`${path}\``, typeOf(field), field.description ?? "", [
    ...required,
    ...limits(field),
    ...messages(field),
    ...inner,
  ]);
  const children = Object.entries(field.properties ?? {}).flatMap(([key, child]) => fieldRows(`${path}.${key}`, child, field));
  const elements = Object.entries(items?.properties ?? {}).flatMap(([key, child]) =>
    items ? fieldRows(`${path}[].${key}`, child, items) : [],
  );
  return [own, ...children, ...elements];
}

function row(...cells: [string, string, string, string[]]): string {
  const [field, type, meaning, rules] = cells;
  return `| ${[field, type, meaning, [...new Set(rules)].join("<br>")].map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function typeOf(field: Field): string {
  if (field.type === "array") return `list of ${field.items?.type ?? "any"}s`;
  if (field.additionalProperties) return `map of ${field.additionalProperties.type}s`;
  return field.type ?? "integer or string";
}

function limits(field: Field): string[] {
  const { minimum, maximum, minItems, maxItems, maxLength, maxProperties } = field;
  return [
    ...(field.default === undefined ? [] : [`\`${JSON.stringify(field.default)}\` if absent`]),
    ...(field.enum ? [field.enum.map((value) => `\`${value}\``).join(", ")] : []),
    ...(minimum === undefined ? [] : [maximum === undefined ? `from ${minimum}` : `from ${minimum} to ${maximum}`]),
    ...(maxItems === undefined ? [] : [`${minItems ?? 0} to ${maxItems} items`]),
    ...(maxLength === undefined ? [] : [`up to ${maxLength} characters`]),
    ...(maxProperties === undefined ? [] : [`up to ${maxProperties} keys`]),
  ];
}

function messages(field: Field): string[] {
  return (field["x-kubernetes-validations"] ?? []).map(({ message, fieldPath }) =>
    fieldPath && fieldPath !== ".metadata" ? `\`${fieldPath.slice(1)}\`: ${message}` : message,
  );
}
