import type { Address } from "../../ip/address.ts";
import type { KnownPod } from "../../podnet/observed-pods.ts";
import { addressesOf } from "../../podnet/plan.ts";

/** The pods of this host, found by key, by the index of their host link and by address. */
export interface PodIndex {
  get(key: string): KnownPod | undefined;
  byLink(index: number): KnownPod | undefined;
  byAddress(address: Address): KnownPod | undefined;
  all(): KnownPod[];
  /** Takes the place of what had the key. */
  set(pod: KnownPod): void;
  delete(key: string): void;
  /** Remembers the links of pods that are deleted from now on, until disposed: what was read of the kernel before may still have them. */
  watchDepartures(): Departures;
}

/** Links whose pods were deleted while it was watched. */
export interface Departures extends Disposable {
  has(index: number): boolean;
}

/** An index without pods. */
export function createPodIndex(): PodIndex {
  const pods = new Map<string, KnownPod>();
  const links = new Map<number, KnownPod>();
  const addresses = { ipv4: new Map<bigint, KnownPod>(), ipv6: new Map<bigint, KnownPod>() };
  const watches = new Set<Set<number>>();

  function remove(key: string): void {
    const pod = pods.get(key);
    if (!pod) return;
    pods.delete(key);
    for (const departed of watches) departed.add(pod.index);
    if (links.get(pod.index) === pod) links.delete(pod.index);
    for (const { family, value } of addressesOf(pod)) {
      if (addresses[family].get(value) === pod) addresses[family].delete(value);
    }
  }

  return {
    get: (key) => pods.get(key),
    byLink: (index) => links.get(index),
    byAddress: ({ family, value }) => addresses[family].get(value),
    all: () => [...pods.values()],
    delete: remove,
    watchDepartures() {
      const departed = new Set<number>();
      watches.add(departed);
      return { has: (index) => departed.has(index), [Symbol.dispose]: () => void watches.delete(departed) };
    },
    set(pod) {
      remove(pod.key);
      pods.set(pod.key, pod);
      links.set(pod.index, pod);
      for (const { family, value } of addressesOf(pod)) addresses[family].set(value, pod);
    },
  };
}
