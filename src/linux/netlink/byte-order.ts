import { endianness } from "node:os";

/** Netlink speaks the machine's own byte order: the last argument of DataView's methods. */
export const HOST_LITTLE_ENDIAN: boolean = endianness() === "LE";
