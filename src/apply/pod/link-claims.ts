import { FIRST_LINK_INDEX } from "../../podnet/names.ts";

/** Interface indexes of a pair that is being made. Disposing ends the claim: the pair is a pod's by then, or gone. */
export interface LinkClaim extends Disposable {
  readonly host: number;
  readonly pod: number;
  /** The host's end was deleted meanwhile. */
  readonly vanished: boolean;
}

/** Which pairs are being made at the moment, and which of them could not be taken back. */
export interface LinkClaims {
  claim(): LinkClaim;
  /** Whether the link is of a set-up that is going on. */
  isClaimed(index: number): boolean;
  /** To be called when the kernel tells that a link is gone. */
  vanish(index: number): void;
  /** Remembers a link that must be deleted though it looks like a pod's. */
  condemn(index: number, key: string): void;
  /** Forgets it; returns its key, if it was condemned. */
  absolve(index: number): string | undefined;
  condemned(): number[];
}

/** Half of what an index can be, so that adding two never overflows. */
const INDEX_RANGE = 1_000_000_000;

/** Claims that never take an index for which `isKnown` is true. */
export function createLinkClaims({ isKnown }: { isKnown: (index: number) => boolean }): LinkClaims {
  const active = new Map<number, { vanished: boolean }>();
  const condemned = new Map<number, string>();
  let offset = 0;

  function next(): number {
    for (;;) {
      const index = FIRST_LINK_INDEX + offset;
      // Two by two: the host's end is even, the pod's odd. Equal ones would look to the kernel like a link without a peer.
      offset = (offset + 2) % INDEX_RANGE;
      if (!isKnown(index) && !active.has(index) && !condemned.has(index)) return index;
    }
  }

  return {
    claim() {
      const host = next();
      const state = { vanished: false };
      active.set(host, state);
      return {
        host,
        pod: host + 1,
        get vanished() {
          return state.vanished;
        },
        [Symbol.dispose]: () => active.delete(host),
      };
    },
    isClaimed: (index) => active.has(index),
    vanish(index) {
      const state = active.get(index);
      if (state) state.vanished = true;
    },
    condemn: (index, key) => condemned.set(index, key),
    absolve(index) {
      const key = condemned.get(index);
      condemned.delete(index);
      return key;
    },
    condemned: () => [...condemned.keys()],
  };
}
