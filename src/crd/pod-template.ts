import { z } from "zod";
import { keysRule, labelTextRule } from "./egress-rules.ts";

/** The container that a gateway runs in. */
export const GATEWAY_CONTAINER = "egress";

const listByName = { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] };
const anyObject = z.looseObject({});
const named = z.looseObject({ name: z.string().meta({ description: "Its name; the other fields are those of a Pod." }) });
const namedList = z.array(named);

/**
 * The parts of a PodSpec that users set most, with their types. What is not listed passes as it is, and is checked by the API
 * server when the controller writes the Deployment.
 */
const podSpecSchema = z
  .looseObject({
    containers: namedList.default([{ name: GATEWAY_CONTAINER }]).meta({
      description: `Containers of the pods. The gateway runs in the one called ${GATEWAY_CONTAINER}.`,
      ...listByName,
    }),
    initContainers: namedList.exactOptional().meta({ description: "Containers that run before the others.", ...listByName }),
    volumes: namedList.exactOptional().meta({ description: "Volumes of the pods.", ...listByName }),
    imagePullSecrets: z.array(anyObject).exactOptional().meta({ description: "Secrets to fetch images with." }),
    nodeSelector: z.record(z.string(), z.string()).exactOptional().meta({ description: "Labels a node must have." }),
    affinity: anyObject.exactOptional().meta({ description: "Which nodes, and near or far from which pods." }),
    tolerations: z.array(anyObject).exactOptional().meta({ description: "Taints that the pods tolerate." }),
    topologySpreadConstraints: z.array(anyObject).exactOptional().meta({ description: "How the pods spread over the nodes." }),
    priorityClassName: z.string().exactOptional().meta({ description: "The PriorityClass of the pods." }),
    terminationGracePeriodSeconds: z.int().exactOptional().meta({
      description: "How long a gateway may take to end, in seconds.",
      format: "int64",
    }),
  })
  .meta({ description: "A PodSpec. All fields of core/v1 are allowed." });

const MAX_KEYS = 256;
const labelText = z
  .string()
  .max(256)
  .meta({ "x-kubernetes-validations": [labelTextRule] });

const metadataSchema = z
  .object({
    annotations: z
      .record(z.string(), z.string())
      .exactOptional()
      .meta({
        description: "Annotations of the pods.",
        maxProperties: MAX_KEYS,
        "x-kubernetes-validations": [keysRule("annotation")],
      }),
    labels: z
      .record(z.string(), labelText)
      .exactOptional()
      .meta({ description: "Labels of the pods.", maxProperties: MAX_KEYS, "x-kubernetes-validations": [keysRule("label")] }),
  })
  .meta({ description: "Metadata of the pods." });

/** What gateway pods are made from. */
export const podTemplateSchema = z
  .object({
    metadata: metadataSchema.exactOptional(),
    spec: podSpecSchema.default({ containers: [{ name: GATEWAY_CONTAINER }] }),
  })
  .meta({
    description: `What the gateway pods are made from. A container not called ${GATEWAY_CONTAINER} runs beside the gateway.`,
  });
