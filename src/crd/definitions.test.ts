import assert from "node:assert/strict";
import { test } from "node:test";
import { definitions } from "./definitions.ts";

interface Definition {
  readonly spec: {
    readonly names: { readonly kind: string };
    readonly scope: string;
    readonly versions: readonly [
      {
        readonly name: string;
        readonly additionalPrinterColumns?: readonly { readonly name: string; readonly jsonPath: string }[];
        readonly subresources: object;
        readonly schema: { readonly openAPIV3Schema: Schema };
      },
    ];
  };
}

interface Schema {
  readonly type?: string;
  readonly default?: unknown;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

const version = (plural: string) => (definitions.get(plural) as Definition).spec.versions[0];
const schema = (plural: string) => version(plural).schema.openAPIV3Schema;

test("the custom resources have the kinds, scopes, versions and subresources that users of Coil v2 know", () => {
  const found = [...definitions].map(([plural, definition]) => {
    const { names, scope, versions } = (definition as Definition).spec;
    return `${plural} ${names.kind} ${scope} ${versions[0].name} ${Object.keys(versions[0].subresources)}`.trim();
  });
  assert.deepEqual(found, [
    // The status is new here.
    "addresspools AddressPool Cluster v2 status",
    "addressblocks AddressBlock Cluster v2",
    "blockrequests BlockRequest Cluster v2 status",
    "egresses Egress Namespaced v2 status,scale",
  ]);
});

test("the columns of `kubectl get` begin with those that users of Coil v2 know", () => {
  const columns = (plural: string) =>
    version(plural).additionalPrinterColumns?.map(({ name, jsonPath }) => `${name} ${jsonPath}`);
  assert.equal(columns("addresspools")?.[0], "BlockSize Bits .spec.blockSizeBits");
  assert.deepEqual(columns("addressblocks"), [
    "Node .metadata.labels['coil\\.cybozu\\.com/node']",
    "Pool .metadata.labels['coil\\.cybozu\\.com/pool']",
    "IPv4 .ipv4",
    "IPv6 .ipv6",
  ]);
  assert.equal(columns("blockrequests"), undefined);
  assert.equal(columns("egresses"), undefined);
});

test("the fields, their types, defaults and which are required are those that users of Coil v2 know", () => {
  assert.deepEqual(outline(schema("addresspools").properties?.["spec"]), [
    "blockSizeBits integer =5",
    "subnets array required",
    "subnets[].ipv4 string",
    "subnets[].ipv6 string",
  ]);
  assert.deepEqual(outline({ ...schema("addressblocks"), properties: own(schema("addressblocks")) }), [
    "index integer required",
    "ipv4 string",
    "ipv6 string",
  ]);
  assert.deepEqual(outline({ properties: own(schema("blockrequests")) }), [
    "spec object",
    "spec.nodeName string required",
    "spec.poolName string required",
    "status object",
    "status.addressBlockName string",
    "status.conditions array",
    "status.conditions[].lastProbeTime string",
    "status.conditions[].lastTransitionTime string",
    "status.conditions[].message string",
    "status.conditions[].reason string",
    "status.conditions[].status string required",
    "status.conditions[].type string required",
  ]);
  assert.deepEqual(
    outline({ properties: own(schema("egresses")) }).filter((line) => !line.startsWith("spec.template.spec.")),
    [
      "spec object",
      "spec.destinations array required",
      "spec.fouSourcePortAuto boolean",
      "spec.podDisruptionBudget object",
      "spec.podDisruptionBudget.maxUnavailable ",
      "spec.podDisruptionBudget.minAvailable ",
      "spec.replicas integer =1",
      'spec.sessionAffinity string ="ClientIP"',
      "spec.sessionAffinityConfig object",
      "spec.sessionAffinityConfig.clientIP object",
      "spec.sessionAffinityConfig.clientIP.timeoutSeconds integer",
      "spec.strategy object",
      "spec.strategy.rollingUpdate object",
      "spec.strategy.rollingUpdate.maxSurge ",
      "spec.strategy.rollingUpdate.maxUnavailable ",
      "spec.strategy.type string",
      "spec.template object",
      "spec.template.metadata object",
      "spec.template.metadata.annotations object",
      "spec.template.metadata.labels object",
      'spec.template.spec object ={"containers":[{"name":"egress"}]}',
      "status object",
      "status.replicas integer",
      "status.selector string",
    ],
  );
});

test("`kubectl apply` can keep each definition in an annotation", () => {
  for (const [plural, definition] of definitions) {
    assert.ok(JSON.stringify(definition).length < 256 * 1024 - 1024, plural);
  }
});

function own({ properties = {} }: Schema): Record<string, Schema> {
  const { apiVersion: _, kind: __, metadata: ___, ...rest } = properties;
  return rest;
}

/** One line a field: path, type, default, required. */
function outline(schema: Schema | undefined, prefix = ""): string[] {
  const fields = Object.entries(schema?.properties ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return fields.flatMap(([name, field]) => {
    const value = field.default === undefined ? "" : ` =${JSON.stringify(field.default)}`;
    const required = schema?.required?.includes(name) ? " required" : "";
    return [
      `${prefix}${name} ${field.type ?? ""}${value}${required}`,
      ...outline(field, `${prefix}${name}.`),
      ...outline(field.items, `${prefix}${name}[].`),
    ];
  });
}
