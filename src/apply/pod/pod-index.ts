import { type Address, formatAddress } from "../../ip/address.ts";
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
}

/** An index without pods. */
export function createPodIndex(): PodIndex {
  const pods = new Map<string, KnownPod>();
  const links = new Map<number, KnownPod>();
  const addresses = new Map<string, KnownPod>();

  function remove(key: string): void {
    const pod = pods.get(key);
    if (!pod) return;
    pods.delete(key);
    if (links.get(pod.index) === pod) links.delete(pod.index);
    for (const text of addressesOf(pod).map(formatAddress)) {
      if (addresses.get(text) === pod) addresses.delete(text);
    }
  }

  return {
    get: (key) => pods.get(key),
    byLink: (index) => links.get(index),
    byAddress: (address) => addresses.get(formatAddress(address)),
    all: () => [...pods.values()],
    delete: remove,
    set(pod) {
      remove(pod.key);
      pods.set(pod.key, pod);
      links.set(pod.index, pod);
      for (const address of addressesOf(pod)) addresses.set(formatAddress(address), pod);
    },
  };
}
