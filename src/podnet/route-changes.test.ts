import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseAddress } from "../ip/address.ts";
import { formatPrefix, parsePrefix, prefixFamily } from "../ip/prefix.ts";
import type { RouteState } from "./host-state.ts";
import { planRouteChanges, type WantedRoute } from "./route-changes.ts";

const destinations = ["10.2.0.0/27", "10.2.0.32/27", "10.2.0.64/27", "fd02::/123", "fd02::20/123"];
const gateways = ["192.0.2.1", "192.0.2.2"];

const wantedRoute: fc.Arbitrary<WantedRoute> = fc
  .tuple(fc.constantFrom(...destinations), fc.constantFrom(...gateways))
  .map(([destination, gateway]) => ({ destination: parsePrefix(destination), gateway: parseAddress(gateway) }));

function usualMetric({ destination }: WantedRoute): number {
  return prefixFamily(destination) === "ipv4" ? 0 : 1024;
}

const routeState: fc.Arbitrary<RouteState> = fc
  .tuple(wantedRoute, fc.constantFrom(31, 4), fc.constantFrom(undefined, 7))
  .map(([route, protocol, metric]) => ({
    ...route,
    family: prefixFamily(route.destination),
    table: 254,
    protocol,
    metric: metric ?? usualMetric(route),
  }));

const keyOf = (route: RouteState) => `${formatPrefix(route.destination)} ${route.metric}`;

test("`planRouteChanges()` brings any table to what is wanted, touches nothing foreign, and is done after one round", () => {
  const table = fc.uniqueArray(routeState, { selector: keyOf });
  const wanted = fc.uniqueArray(wantedRoute, { selector: (route) => formatPrefix(route.destination) });
  fc.assert(
    fc.property(table, wanted, (observed, wantedRoutes) => {
      const changes = planRouteChanges(wantedRoutes, observed, { protocol: 31 });
      const kernel = new Map(observed.map((route) => [keyOf(route), route]));
      for (const route of [...changes.add, ...changes.replace]) {
        const state: RouteState = {
          ...route,
          family: prefixFamily(route.destination),
          table: 254,
          protocol: 31,
          metric: usualMetric(route),
        };
        assert.equal(kernel.has(keyOf(state)), changes.replace.includes(route), "EEXIST, or replaced what is not there");
        kernel.set(keyOf(state), state);
      }
      for (const route of changes.remove) {
        assert.equal(route.protocol, 31);
        assert.equal(kernel.get(keyOf(route)), route, "removed what was just put there");
        kernel.delete(keyOf(route));
      }
      const foreign = observed.filter((route) => route.protocol !== 31);
      assert.deepStrictEqual(
        [...kernel.values()].filter((route) => route.protocol !== 31),
        foreign,
      );
      const text = (route: WantedRoute) => `${formatPrefix(route.destination)} ${route.gateway?.value}`;
      const blocked = new Set(changes.blocked.map(text));
      assert.deepStrictEqual(
        [...kernel.values()]
          .flatMap((r) => (r.protocol === 31 && r.destination ? [text({ ...r, destination: r.destination })] : []))
          .sort(),
        wantedRoutes
          .map(text)
          .filter((route) => !blocked.has(route))
          .sort(),
      );
      const again = planRouteChanges(wantedRoutes, [...kernel.values()], { protocol: 31 });
      assert.deepStrictEqual([again.add, again.replace, again.remove], [[], [], []]);
    }),
  );
});
