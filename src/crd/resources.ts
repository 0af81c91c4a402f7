import type { AddressBlock } from "./address-block.ts";
import type { AddressPool } from "./address-pool.ts";
import type { BlockRequest } from "./block-request.ts";
import type { Egress } from "./egress.ts";
import { GROUP, VERSION } from "./names.ts";

/** Where objects of type T live in the API. */
export interface Resource<T> {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Never set: carries T for inference. */
  readonly object?: T;
}

export const addressPools: Resource<AddressPool> = resource("addresspools", "AddressPool", { namespaced: false });
export const addressBlocks: Resource<AddressBlock> = resource("addressblocks", "AddressBlock", { namespaced: false });
export const blockRequests: Resource<BlockRequest> = resource("blockrequests", "BlockRequest", { namespaced: false });
export const egresses: Resource<Egress> = resource("egresses", "Egress", { namespaced: true });

function resource<T>(plural: string, kind: string, { namespaced }: { namespaced: boolean }): Resource<T> {
  return { group: GROUP, version: VERSION, plural, kind, namespaced };
}
