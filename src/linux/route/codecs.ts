import { type Address, addressFromBytes, addressToBytes } from "../../ip/address.ts";
import type { Family } from "../../ip/family.ts";
import { type Codec, u16 } from "../netlink/codec.ts";
import { MessageSyntaxError } from "../netlink/message-syntax-error.ts";
import { AF_INET, AF_INET6 } from "../syscall/constants.ts";

const MAC_TEXT = /^[0-9a-f]{2}(:[0-9a-f]{2})*$/i;

/** The kernel's number of a family. */
export function familyNumber(family: Family): number {
  return family === "ipv4" ? AF_INET : AF_INET6;
}

/** The family of a kernel's number, or undefined for what is neither IPv4 nor IPv6. */
export function familyOfNumber(number: number): Family | undefined {
  return number === AF_INET ? "ipv4" : number === AF_INET6 ? "ipv6" : undefined;
}

/** 4 or 16 bytes. */
export const ipAddress: Codec<Address> = {
  encode: (writer, address) => writer.raw(addressToBytes(address)),
  decode: ({ bytes }, start, end) => {
    if (end - start !== 4 && end - start !== 16) throw new MessageSyntaxError(`an IP address of ${end - start} bytes`, start);
    return addressFromBytes(bytes.subarray(start, end));
  },
};

/** `struct rtvia`: an address with its family, for gateways of another family than the route's. */
export const viaAddress: Codec<Address> = {
  encode(writer, address) {
    u16.encode(writer, familyNumber(address.family));
    ipAddress.encode(writer, address);
  },
  decode: (view, start, end) => ipAddress.decode(view, start + 2, end),
};

/** A link-layer address as text, `02:00:00:00:00:01`. Encoding throws `SyntaxError` for other text. */
export const linkLayerAddress: Codec<string> = {
  encode(writer, text) {
    if (!MAC_TEXT.test(text)) throw new SyntaxError(`Cannot parse ${JSON.stringify(text)} as a link-layer address`);
    for (const octet of text.split(":")) writer.u8(Number.parseInt(octet, 16));
  },
  decode: ({ bytes }, start, end) =>
    Array.from(bytes.subarray(start, end), (octet) => octet.toString(16).padStart(2, "0")).join(":"),
};
