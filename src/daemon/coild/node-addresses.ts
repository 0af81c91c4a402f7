import type { NodeAddresses } from "../../apply/pod/node-facts.ts";
import { tryParseAddress } from "../../ip/address.ts";
import type { Node } from "../../kube/resources.ts";

/** The addresses by which the node is known in the cluster: of each family the last InternalIP, as the Go implementation takes it. */
export function nodeAddresses(node: Node | undefined): NodeAddresses {
  const internal = (node?.status?.addresses ?? []).filter(({ type }) => type === "InternalIP");
  const addresses = internal.flatMap(({ address }) => tryParseAddress(address) ?? []);
  const ipv4 = addresses.findLast(({ family }) => family === "ipv4");
  const ipv6 = addresses.findLast(({ family }) => family === "ipv6");
  return { ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }) };
}
