import { platform } from "node:os";
import { ensureDebianPackages, type Need } from "../machine/debian-packages.ts";

/** Programs that the lab and the programs in it run. */
const NEEDS: readonly Need[] = [
  { file: "ip", package: "iproute2" },
  { file: "cc", package: "gcc" },
  { file: "/usr/include/stdlib.h", package: "libc6-dev" },
  { file: "nsenter", package: "util-linux" },
  { file: "unshare", package: "util-linux" },
  { file: "nft", package: "nftables" },
  { file: "conntrack", package: "conntrack" },
  { file: "ping", package: "iputils-ping" },
];

/** Throws an Error that says in a sentence what to do when this machine cannot have a lab. Debian packages are installed. */
export function preflight(log: (line: string) => void): void {
  requireRoot("make network namespaces");
  ensureDebianPackages(NEEDS, log);
}

/** Throws an Error in a sentence for users who may not, or machines that cannot, `what`. */
export function requireRoot(what: string): void {
  if (platform() !== "linux")
    throw new Error(`The lab is made of Linux network namespaces: run it on Linux, this is ${platform()}`);
  if (process.getuid?.() !== 0) throw new Error(`Run it as root, for example with sudo: only root may ${what}`);
}
