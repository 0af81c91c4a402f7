import type { Address } from "../ip/address.ts";
import type { Family } from "../ip/family.ts";
import { familyBits } from "../ip/family.ts";
import { hostBits, type Prefix, prefixFamily } from "../ip/prefix.ts";

/**
 * Prefixes with something attached, searched by address and by overlap. Two prefixes are nested or disjoint, so an overlap is
 * either a holder of some shorter length (one map look-up for each length in use) or starts inside (binary search).
 */
export interface PrefixMap<T> {
  /** The same prefix may be added several times, with different values. */
  add(prefix: Prefix, value: T): void;
  /** Removes what {@link add} put there. Unknown pairs are ignored. */
  delete(prefix: Prefix, value: T): void;
  /** Values of the prefixes that hold the address, with the address's offset in each. */
  holders(address: Address): { readonly value: T; readonly offset: bigint }[];
  /** A prefix of the map that shares an address with `prefix`, or undefined. The widest one, if several do. */
  overlap(prefix: Prefix): { readonly prefix: Prefix; readonly value: T } | undefined;
}

interface Entry<T> {
  readonly prefix: Prefix;
  readonly values: T[];
}

/** An empty {@link PrefixMap}. */
export function createPrefixMap<T>(): PrefixMap<T> {
  const families: Record<Family, FamilyMap<T>> = { ipv4: new FamilyMap(32), ipv6: new FamilyMap(128) };
  return {
    add: (prefix, value) => families[prefixFamily(prefix)].add(prefix, value),
    delete: (prefix, value) => families[prefixFamily(prefix)].delete(prefix, value),
    holders: (address) =>
      families[address.family].covering(address.value, familyBits(address.family)).flatMap(({ prefix, values }) => {
        const offset = address.value - prefix.address.value;
        return values.map((value) => ({ value, offset }));
      }),
    overlap: (prefix) => families[prefixFamily(prefix)].overlap(prefix),
  };
}

class FamilyMap<T> {
  readonly #bits: number;
  /** Length -> first address -> entry; lengths ascending. */
  readonly #lengths: Map<number, Map<bigint, Entry<T>>> = new Map();
  /** First addresses of all entries, ascending, with repetition for nested prefixes that start alike. */
  readonly #starts: bigint[] = [];

  constructor(bits: number) {
    this.#bits = bits;
  }

  add(prefix: Prefix, value: T): void {
    const start = prefix.address.value;
    const ofLength = this.#ofLength(prefix.length);
    const entry = ofLength.get(start);
    if (entry) {
      entry.values.push(value);
      return;
    }
    ofLength.set(start, { prefix, values: [value] });
    this.#starts.splice(this.#lowerBound(start), 0, start);
  }

  delete(prefix: Prefix, value: T): void {
    const start = prefix.address.value;
    const ofLength = this.#lengths.get(prefix.length);
    const entry = ofLength?.get(start);
    const at = entry?.values.indexOf(value) ?? -1;
    if (!ofLength || !entry || at < 0) return;
    entry.values.splice(at, 1);
    if (entry.values.length > 0) return;
    ofLength.delete(start);
    if (ofLength.size === 0) this.#lengths.delete(prefix.length);
    this.#starts.splice(this.#lowerBound(start), 1);
  }

  /** Entries of at most `length` bits that hold the address, widest first. */
  covering(address: bigint, length: number): Entry<T>[] {
    const found: Entry<T>[] = [];
    for (const [bits, ofLength] of this.#lengths) {
      if (bits > length) break;
      const host = BigInt(this.#bits - bits);
      const entry = ofLength.get((address >> host) << host);
      if (entry) found.push(entry);
    }
    return found;
  }

  overlap(prefix: Prefix): { prefix: Prefix; value: T } | undefined {
    const first = prefix.address.value;
    const [entry] = this.covering(first, prefix.length);
    if (entry) return { prefix: entry.prefix, value: entry.values[0] as T };
    const start = this.#starts[this.#lowerBound(first)];
    if (start === undefined || start >> BigInt(hostBits(prefix)) !== first >> BigInt(hostBits(prefix))) return undefined;
    const [inner] = this.covering(start, this.#bits);
    return inner && { prefix: inner.prefix, value: inner.values[0] as T };
  }

  #ofLength(length: number): Map<bigint, Entry<T>> {
    const known = this.#lengths.get(length);
    if (known) return known;
    const made = new Map<bigint, Entry<T>>();
    const rest = [...this.#lengths].filter(([other]) => other > length);
    for (const [other] of rest) this.#lengths.delete(other);
    for (const [key, value] of [[length, made] as const, ...rest]) this.#lengths.set(key, value);
    return made;
  }

  /** Position of the first start that is not less than `value`. */
  #lowerBound(value: bigint): number {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] as bigint) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
