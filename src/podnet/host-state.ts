import type { Address } from "../ip/address.ts";
import type { Family } from "../ip/family.ts";
import type { Prefix } from "../ip/prefix.ts";

/** The kernel's state as far as decisions of this folder need it. What `src/linux` reads from the kernel fits these shapes. */

export interface LinkState {
  readonly index: number;
  readonly name: string;
  readonly altNames: readonly string[];
  /** Absent for physical links, `veth`, `bridge`, … otherwise. */
  readonly kind?: string;
  readonly alias?: string;
  readonly mac?: string;
  readonly mtu: number;
  readonly up: boolean;
  readonly loopback: boolean;
  readonly group: number;
}

export interface AddressState {
  readonly index: number;
  readonly address: Address;
  readonly length: number;
  readonly tentative: boolean;
}

export interface RouteState {
  readonly family: Family;
  /** Of length 0 for a default route. */
  readonly destination: Prefix;
  readonly table: number;
  readonly protocol: number;
  /** The outgoing interface. */
  readonly index?: number;
  readonly gateway?: Address;
  /** Preferred source. */
  readonly source?: Address;
  readonly metric: number;
}

export interface NeighbourState {
  readonly index: number;
  readonly address: Address;
  readonly mac?: string;
  /** `permanent`, `reachable`, … */
  readonly state: string | number;
}

export interface RuleState {
  readonly family: Family;
  readonly priority: number;
  readonly table: number;
  /** Whether it applies to all packets and sends them to the table, nothing else. */
  readonly plain: boolean;
}
