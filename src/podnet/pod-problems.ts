import { addressEquals, formatAddress } from "../ip/address.ts";
import { formatPrefix, type Prefix } from "../ip/prefix.ts";
import { describeRepair, type HostSide, type HostSideState, hostDrift } from "./host-drift.ts";
import type { AddressState, LinkState, NeighbourState, RouteState } from "./host-state.ts";
import { GATEWAYS, type PlannedEnd, type PlannedRoute } from "./plan.ts";

/** What there is in a pod's namespace. */
export interface PodSideState {
  /** Absent when the pod has no such interface. */
  readonly link: (LinkState & { readonly peerIndex?: number }) | undefined;
  readonly addresses: readonly AddressState[];
  readonly neighbours: readonly NeighbourState[];
  /** Of the main table, through the interface. */
  readonly routes: readonly RouteState[];
}

/** What is compared by CNI's CHECK. */
export interface PodSides {
  readonly wantedPod: PlannedEnd;
  readonly wantedHost: HostSide;
  readonly pod: PodSideState;
  /** Absent when the host's end is gone. */
  readonly host: HostSideState | undefined;
}

/** What is wrong with a pod's network, each a sentence for people; empty when all is as it was set up. */
export function podProblems({ wantedPod, wantedHost, pod, host }: PodSides): string[] {
  return [
    ...hostProblems(wantedHost, host),
    ...podSideProblems(wantedPod, wantedHost, pod),
    ...pairProblems(wantedPod, pod, host),
  ];
}

function hostProblems(wanted: HostSide, host: HostSideState | undefined): string[] {
  if (!host) return ["the host's end of the interface is gone"];
  return hostDrift(wanted, host).map((repair) => `on the host, ${host.link.name} has lost: ${describeRepair(repair)}`);
}

function podSideProblems(wanted: PlannedEnd, { own }: HostSide, { link, addresses, neighbours, routes }: PodSideState): string[] {
  const { name } = wanted;
  if (!link) return [`the pod has no interface ${name}`];
  // Pods of the Go implementation have other gateways, and no permanent neighbours.
  const globals = wanted.addresses.filter(({ scope }) => own !== undefined || scope === "global");
  return [
    ...(link.up ? [] : [`${name} of the pod is down`]),
    ...globals.flatMap((address) => addressProblems(address.address, name, addresses)),
    ...(own ? wanted.neighbours : [])
      .filter((wish) => !neighbours.some((found) => isPermanent(found, wish)))
      .map((wish) => `${name} of the pod does not know the gateway ${formatAddress(wish.address)} at ${wish.mac}`),
    ...wanted.routes
      .filter((wish) => own !== undefined || wish.destination === undefined)
      .filter((wish) => !routes.some((found) => isRoute(found, wish, own !== undefined)))
      .map((wish) => `the pod has lost its route ${describeRoute(wish)}`),
  ];
}

function addressProblems(address: AddressState["address"], name: string, addresses: readonly AddressState[]): string[] {
  const found = addresses.find((candidate) => addressEquals(candidate.address, address));
  if (!found) return [`${name} of the pod has lost its address ${formatAddress(address)}`];
  return found.tentative
    ? [`${name} of the pod cannot use ${formatAddress(address)} yet: duplicate address detection goes on`]
    : [];
}

function pairProblems(wanted: PlannedEnd, { link }: PodSideState, host: HostSideState | undefined): string[] {
  if (!link || !host) return [];
  const { name } = wanted;
  return [
    ...(link.peerIndex === undefined || link.peerIndex === host.link.index
      ? []
      : [`${name} of the pod does not lead to ${host.link.name}`]),
    ...(host.neighbours.some((found) => found.state === "permanent" && found.mac !== link.mac)
      ? [`${name} of the pod has MAC ${link.mac ?? "none"}, the host sends to another`]
      : []),
    ...(link.mtu > host.link.mtu
      ? [`${name} of the pod has MTU ${link.mtu}, ${host.link.name} only ${host.link.mtu}: large packets are lost`]
      : []),
  ];
}

function isPermanent(found: NeighbourState, wanted: PlannedEnd["neighbours"][number]): boolean {
  return found.state === "permanent" && found.mac === wanted.mac && addressEquals(found.address, wanted.address);
}

function isRoute(found: RouteState, wanted: PlannedRoute, exactly: boolean): boolean {
  const destination = wanted.destination ? formatPrefix(wanted.destination) : defaultText(wanted);
  if (found.family !== wanted.family || formatPrefix(found.destination) !== destination) return false;
  if (!exactly) return true;
  return wanted.gateway ? found.gateway !== undefined && addressEquals(found.gateway, wanted.gateway) : !found.gateway;
}

function describeRoute({ family, destination, gateway }: PlannedRoute): string {
  const to = destination ? formatPrefix(destination) : defaultText({ family });
  return gateway ? `${to} via ${formatAddress(gateway)}` : to;
}

function defaultText({ family }: Pick<PlannedRoute, "family">): string {
  const everything: Prefix = { address: { ...GATEWAYS[family], value: 0n }, length: 0 };
  return formatPrefix(everything);
}
