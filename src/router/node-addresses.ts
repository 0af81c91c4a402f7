import { tryParseAddress } from "../ip/address.ts";
import type { RouterNode } from "../podnet/router-routes.ts";

/** The part of a Node that is read. */
export interface AddressedNode {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly addresses?: readonly { readonly type: string; readonly address: string }[] };
}

/** A node with its internal addresses; of several of one family the last, as with the Go implementation. */
export function routerNode({ metadata: { name }, status }: AddressedNode): RouterNode {
  const internal = (status?.addresses ?? []).flatMap(({ type, address }) => {
    const parsed = type === "InternalIP" ? tryParseAddress(address) : undefined;
    return parsed ? [parsed] : [];
  });
  const ipv4 = internal.findLast(({ family }) => family === "ipv4");
  const ipv6 = internal.findLast(({ family }) => family === "ipv6");
  return { name, ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }) };
}
