import { release } from "node:os";
import { type NetNamespace, openNetNamespace } from "../../linux/netns/namespace.ts";
import { openRouteMonitor, type RouteMonitor, type RouteMonitorOptions } from "../../linux/route/monitor.ts";
import { openRouteSocket, type RouteSocket } from "../../linux/route/socket.ts";
import { readSysctl, type SysctlName, writeSysctl } from "../../linux/sysctl/sysctl.ts";

/** The kernel as this folder uses it: the one seam at which tests inject faults. */
export interface Kernel {
  openNetNamespace(path: string): NetNamespace;
  openRouteSocket(namespace?: NetNamespace): RouteSocket;
  openRouteMonitor(options: RouteMonitorOptions): RouteMonitor;
  readSysctl(name: SysctlName, namespace?: NetNamespace): string | undefined;
  writeSysctl(name: SysctlName, value: string, namespace?: NetNamespace): void;
  /** Whether a question about a link makes the kernel's link watch look at its carrier at once, as since Linux 6.8. */
  readonly syncsCarrier: boolean;
}

/** The kernel of this machine. */
export const linuxKernel: Kernel = {
  openNetNamespace,
  openRouteSocket,
  openRouteMonitor,
  readSysctl,
  writeSysctl,
  syncsCarrier: isAtLeast(release(), 6, 8),
};

function isAtLeast(version: string, major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split(/[.-]/).map(Number);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}
