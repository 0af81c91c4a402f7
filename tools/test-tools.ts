import { ensureControlPlane } from "../lab/control-plane/build.ts";
import { ensureDebianPackages, type Need } from "../lab/machine/debian-packages.ts";
import { buildPlugin } from "../plugin/build.ts";

/** What the kernel tests, and everything above them, compare with and drive. */
const KERNEL: readonly Need[] = [
  { file: "ip", package: "iproute2" },
  { file: "nft", package: "nftables" },
  { file: "ping", package: "iputils-ping" },
  { file: "nsenter", package: "util-linux" },
  { file: "cc", package: "gcc" },
  { file: "/usr/include/stdlib.h", package: "libc6-dev" },
  { file: "/usr/include/linux/rtnetlink.h", package: "linux-libc-dev" },
];

const CLUSTER: readonly Need[] = [
  { file: "iptables", package: "iptables" },
  { file: "ipset", package: "ipset" },
  { file: "conntrack", package: "conntrack" },
  { file: "openssl", package: "openssl" },
  { file: "setpriv", package: "util-linux" },
  { file: "/usr/lib/cni/portmap", package: "containernetworking-plugins" },
];

/**
 * Makes ready what the named groups of tests need, and says so when it takes long.
 * Throws an Error that says what to do when something cannot be had.
 */
export async function ensureTestTools(groups: readonly string[]): Promise<void> {
  const log = (line: string) => console.log(`==> ${line}`);
  if (process.getuid?.() !== 0) throw new Error("The tests make network namespaces: run them as root.");
  ensureDebianPackages([...KERNEL, ...CLUSTER], log);
  await buildPlugin({ log });
  if (groups.some((group) => group !== "unit")) await ensureControlPlane({ log, env: process.env });
}
