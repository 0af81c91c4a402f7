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
}

/** The kernel of this machine. */
export const linuxKernel: Kernel = { openNetNamespace, openRouteSocket, openRouteMonitor, readSysctl, writeSysctl };
