import type { PodInterface } from "../../apply/pod-network.ts";
import type { CniResult } from "../../cni/result.ts";
import { NEWEST_VERSION } from "../../cni/version.ts";
import { formatAddress } from "../../ip/address.ts";
import { familyBits } from "../../ip/family.ts";
import { type Allocation, addressesOf } from "../../ipam/allocation.ts";
import { GATEWAYS } from "../../podnet/plan.ts";

/** What an ADD answers, in the shape of CNI 1.1.0: the pod's interface first, then the host's. */
export function addResult(
  allocation: Pick<Allocation, "ipv4" | "ipv6">,
  { ifname, netns, made }: { ifname: string; netns: string; made: PodInterface },
): CniResult {
  const addresses = addressesOf(allocation);
  return {
    cniVersion: NEWEST_VERSION,
    interfaces: [
      { name: ifname, mac: made.podMac, mtu: made.mtu, sandbox: netns },
      { name: made.hostInterface, mac: made.hostMac, mtu: made.mtu },
    ],
    ips: addresses.map((address) => ({
      address: `${formatAddress(address)}/${familyBits(address.family)}`,
      gateway: formatAddress(GATEWAYS[address.family]),
      interface: 0,
    })),
    routes: addresses.map(({ family }) => ({
      dst: family === "ipv4" ? "0.0.0.0/0" : "::/0",
      gw: formatAddress(GATEWAYS[family]),
    })),
  };
}
