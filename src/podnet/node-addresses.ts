import { type Address, tryParseAddress } from "../ip/address.ts";

/** The addresses by which a node is known in the cluster. */
export interface NodeAddresses {
  readonly ipv4?: Address;
  readonly ipv6?: Address;
}

/** The part of a Node that is read. */
export interface AddressedNode {
  readonly status?: {
    readonly addresses?: readonly { readonly type: string; readonly address: string }[];
  };
}

/** Of each family the last `InternalIP`, as the Go implementation takes it. A node that is not there has none. */
export function nodeAddresses(node: AddressedNode | undefined): NodeAddresses {
  const internal = (node?.status?.addresses ?? []).filter(({ type }) => type === "InternalIP");
  const addresses = internal.flatMap(({ address }) => tryParseAddress(address) ?? []);
  const ipv4 = addresses.findLast(({ family }) => family === "ipv4");
  const ipv6 = addresses.findLast(({ family }) => family === "ipv6");
  return { ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }) };
}
