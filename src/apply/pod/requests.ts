import type { NetNamespace } from "../../linux/netns/namespace.ts";
import { addAltNames } from "../../linux/route/alt-names.ts";
import { addAddress } from "../../linux/route/change-address.ts";
import { addNeighbour, replaceNeighbour } from "../../linux/route/change-neighbour.ts";
import { addRoute, replaceRoute } from "../../linux/route/change-route.ts";
import { newVeth } from "../../linux/route/new-link.ts";
import { linkQuery } from "../../linux/route/queries.ts";
import type { RouteRequest } from "../../linux/route/request.ts";
import { setLink } from "../../linux/route/set-link.ts";
import type { HostRepair } from "../../podnet/host-drift.ts";
import type { PlannedAddress, PlannedEnd, PodPlan } from "../../podnet/plan.ts";

/** Plans as requests to the kernel. */

/** Interface indexes of both ends. They are ours to choose, so that whole sides can be asked for without looking anything up. */
export interface PairIndexes {
  readonly host: number;
  readonly pod: number;
}

/** The pair with both ends in place, the host's end up. Without a generated address nothing waits for its neighbours' objection. */
export function pairRequests(plan: PodPlan, indexes: PairIndexes, namespace: NetNamespace): RouteRequest[] {
  const { host, pod, mtu } = plan;
  const size = mtu === 0 ? {} : { mtu };
  return [
    newVeth({
      name: host.name,
      index: indexes.host,
      mac: host.mac,
      group: host.group,
      ...size,
      peer: { name: pod.name, index: indexes.pod, mac: pod.mac, namespace, ...size },
    }),
    ...upRequests(indexes.host),
  ];
}

/** The pod's side, by a socket in its namespace. */
export function podEndRequests(plan: PodPlan, index: number): RouteRequest[] {
  return [...upRequests(index), ...contentRequests(plan.pod, index)];
}

/**
 * The marks by which the host's end is a pod's from then on, and the content. Anything that is there already is a conflict. The
 * question at the end makes the kernel's link watch look at the carrier at once (Linux 6.8 and later): packets are dropped until then.
 */
export function hostEndRequests(plan: PodPlan, index: number): RouteRequest[] {
  const { alias, altNames } = plan.host;
  return [
    addAltNames({ index, names: altNames }),
    ...contentRequests(plan.host, index),
    ...setLink({ index, alias }),
    linkQuery({ index }),
  ];
}

/** Puts one thing back. Repeating it does no harm. */
export function repairRequests(repair: HostRepair): RouteRequest[] {
  const { index } = repair;
  switch (repair.kind) {
    case "link":
      return setLink({ index, up: true });
    case "mark":
      return setLink({ index, alias: repair.alias, group: repair.group });
    case "alt-name":
      // One by one: a name that is taken must not keep the others away.
      return repair.names.map((name) => addAltNames({ index, names: [name] }));
    case "address":
      return [addressRequest(repair.address, index, true)];
    case "neighbour":
      return [replaceNeighbour({ index, ...repair.neighbour, state: "permanent" })];
    case "route":
      return [replaceRoute({ ...repair.route, index })];
  }
}

function upRequests(index: number): RouteRequest[] {
  return [...setLink({ index, addrGenMode: "none" }), ...setLink({ index, up: true })];
}

function contentRequests(end: PlannedEnd, index: number): RouteRequest[] {
  return [
    ...end.addresses.map((address) => addressRequest(address, index, false)),
    ...end.neighbours.map((neighbour) => addNeighbour({ index, ...neighbour, state: "permanent" })),
    ...end.routes.map((route) => addRoute({ ...route, index })),
  ];
}

function addressRequest(planned: PlannedAddress, index: number, replace: boolean): RouteRequest {
  const noDad = planned.address.family === "ipv6";
  return addAddress({ index, ...planned, noDad, replace });
}
