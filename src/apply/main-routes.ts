import { formatAddress } from "../ip/address.ts";
import type { KernelError } from "../linux/kernel-error.ts";
import type { RouteEvent } from "../linux/route/event.ts";
import { FIRST_LINK_INDEX, LINK_GROUP, parseLinkAlias } from "../podnet/names.ts";
import type { WantedRoute } from "../podnet/route-changes.ts";
import { createRouteKeeper, type RouteKeeper, type RouteKeeperDeps } from "./routes/route-keeper.ts";

const MAIN_TABLE = 254;
const UNREACHABLE: readonly string[] = ["ENETUNREACH", "EHOSTUNREACH", "EINVAL"];

/** Routes to other nodes' blocks in the main table, by their protocol. Other protocols' routes there are never touched. */
export function createMainRoutes({ protocol }: { readonly protocol: number }, deps: RouteKeeperDeps): RouteKeeper {
  return createRouteKeeper(deps, {
    own: { table: MAIN_TABLE, protocol },
    kind: "main-route",
    groups: ["link", "ipv4-address", "ipv6-address"],
    concerns,
    explain,
    describe: (destination, reason) => `no route to ${destination}: ${reason}`,
  });
}

/** Routes vanish with their link and their subnet, and become possible with them. Those of pods do not matter. */
function concerns(event: RouteEvent): boolean {
  if (event.kind === "address") return event.value.index < FIRST_LINK_INDEX;
  return event.kind === "link" && event.value.group !== LINK_GROUP && parseLinkAlias(event.value.alias) === undefined;
}

function explain({ gateway }: WantedRoute, error: KernelError): string {
  if (!gateway || !UNREACHABLE.includes(error.code)) return error.message;
  return `its node ${formatAddress(gateway)} is not on a network of this one: ${error.message}`;
}
