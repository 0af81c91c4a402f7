import type { AddressBlock } from "../crd/address-block.ts";
import { LABEL_NODE } from "../crd/names.ts";
import { tryParsePrefix } from "../ip/prefix.ts";
import type { RouterBlock } from "../podnet/router-routes.ts";

/** A block as far as routes are concerned. A network that is not one is left out: people can make blocks by hand. */
export function routerBlock({ metadata: { name, labels }, ipv4, ipv6 }: AddressBlock): RouterBlock {
  const [v4, v6] = [tryParsePrefix(ipv4 ?? ""), tryParsePrefix(ipv6 ?? "")];
  return {
    ...{ name, node: labels?.[LABEL_NODE] ?? "" },
    ...(v4?.address.family === "ipv4" && { ipv4: v4 }),
    ...(v6?.address.family === "ipv6" && { ipv6: v6 }),
  };
}
