import { type Address, formatAddress } from "../ip/address.ts";
import { FAMILIES, type Family } from "../ip/family.ts";

/** The addresses of one attachment. */
export interface Allocation {
  /** `<container id>:<interface name>` */
  readonly key: string;
  readonly pool: string;
  /** Name of the block the addresses lie in; absent while no known block holds them. */
  readonly block?: string;
  readonly ipv4?: Address;
  readonly ipv6?: Address;
}

/** The addresses of an allocation, IPv4 first. */
export function addressesOf(allocation: Pick<Allocation, Family>): Address[] {
  return FAMILIES.map((family) => allocation[family]).filter((address) => address !== undefined);
}

/** `10.2.0.1, fd02::1` for messages. */
export function addressesText(allocation: Pick<Allocation, Family>): string {
  return addressesOf(allocation).map(formatAddress).join(", ");
}
