import { formatAddress } from "../../ip/address.ts";
import type { KernelError } from "../../linux/kernel-error.ts";
import type { Link } from "../../linux/route/link.ts";
import { addressAltName, attachmentKey, hostInterfaceName, LINK_GROUP, parseLinkAlias } from "../../podnet/names.ts";
import type { PodPlan } from "../../podnet/plan.ts";
import { PodNetworkError } from "../pod-network-error.ts";
import type { SetUpContext } from "./set-up.ts";
import type { Target } from "./target.ts";

/** What to do when links are in the way of a new pair, and who has an address that should be free. */

/**
 * Called when the kernel said EEXIST to the pair: removes what is left of earlier attempts and of earlier sandboxes of the same pod.
 * Rejects when the pod has such an interface that is none of ours.
 */
export async function clearTheWay(context: SetUpContext, plan: PodPlan, target: Target): Promise<"again" | "name-taken"> {
  const { host, remover, claims } = context;
  const there = await host.link({ name: plan.host.name });
  if (there) {
    const owner = ownerOf(there);
    const isHalfMade = owner === undefined && there.group === LINK_GROUP && !claims.isClaimed(there.index);
    // Names for Calico are made of the pod's name: the link is of an earlier sandbox of the pod, and would get its traffic.
    const isOfSamePod = owner === plan.key || (isOurs(owner) && plan.host.name.length > hostInterfaceName(plan.key).length);
    if (!isHalfMade && !isOfSamePod) return "name-taken";
    await remover.remove(there.index);
    if (isOurs(owner) && owner !== plan.key) context.displaced(owner);
    return "again";
  }
  if (await target.openSocket().link({ name: plan.pod.name })) {
    throw new PodNetworkError("interface-exists", `Cannot set up ${plan.key}: the pod already has an interface ${plan.pod.name}`);
  }
  return "again";
}

/** EEXIST on the host's end: one of the addresses is another link's. Undefined for other failures. */
export async function addressConflict(
  { host }: SetUpContext,
  plan: PodPlan,
  error: KernelError,
): Promise<PodNetworkError | undefined> {
  if (error.code !== "EEXIST") return undefined;
  for (const { address } of plan.host.neighbours) {
    const holder = await host.link({ altName: addressAltName(address) });
    if (!holder) continue;
    const message = `Cannot set up ${plan.key}: ${formatAddress(address)} belongs to link ${holder.name} (${holder.alias ?? "no alias"})`;
    return new PodNetworkError("address-in-use", message, { cause: error });
  }
  return new PodNetworkError("address-in-use", `Cannot set up ${plan.key}: its address is another link's: ${error.message}`, {
    cause: error,
  });
}

const FOREIGN = Symbol("another program's");

/** The key of the attachment that a link is of; undefined when nobody has given it an alias. */
function ownerOf({ alias }: Link): string | typeof FOREIGN | undefined {
  if (!alias) return undefined;
  const parts = parseLinkAlias(alias);
  return parts ? attachmentKey(parts) : FOREIGN;
}

function isOurs(owner: ReturnType<typeof ownerOf>): owner is string {
  return typeof owner === "string";
}
