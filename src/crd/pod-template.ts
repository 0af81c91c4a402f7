import { z } from "zod";

const containerSchema = z
  .looseObject({
    name: z.string().meta({ description: "Name of the container; the gateway itself runs in the one called egress." }),
  })
  .meta({ description: "A container, as in a Pod." });

const anyObject = z.looseObject({});

/**
 * The parts of a PodSpec that users set most, with their types; what is not listed passes as it is and is checked by the API
 * server when the controller writes the Deployment.
 */
const podSpecSchema = z
  .looseObject({
    containers: z
      .array(containerSchema)
      .default([{ name: "egress" }])
      .meta({ description: "Containers of the pod." }),
    initContainers: z.array(containerSchema).exactOptional().meta({ description: "Containers that run before the others." }),
    volumes: z
      .array(z.looseObject({ name: z.string() }))
      .exactOptional()
      .meta({ description: "Volumes of the pod." }),
    imagePullSecrets: z
      .array(z.looseObject({ name: z.string().exactOptional() }))
      .exactOptional()
      .meta({ description: "Secrets to fetch images with." }),
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

/** What gateway pods are made from. */
export const podTemplateSchema = z
  .object({
    metadata: z
      .object({
        annotations: z.record(z.string(), z.string()).exactOptional().meta({ description: "Annotations of the pods." }),
        labels: z.record(z.string(), z.string()).exactOptional().meta({ description: "Labels of the pods." }),
      })
      .exactOptional()
      .meta({ description: "Metadata of the pods." }),
    spec: podSpecSchema.default({ containers: [{ name: "egress" }] }),
  })
  .meta({ description: "What the gateway pods are made from. A container that is not called egress runs beside the gateway." });
