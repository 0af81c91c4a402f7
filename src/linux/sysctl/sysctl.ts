import { closeSync, constants, openSync, readFileSync, writeSync } from "node:fs";
import { KernelError, kernelErrorFrom } from "../kernel-error.ts";
import { openIn } from "../netns/fence.ts";
import type { NetNamespace } from "../netns/namespace.ts";

/**
 * `net.ipv4.ip_forward`, or its parts when one of them may hold a dot, as names of links do: `["net", "ipv4", "conf", "eth0.7",
 * "rp_filter"]`.
 */
export type SysctlName = string | readonly string[];

/** The value of a setting, undefined when there is no such setting. Throws {@link KernelError}. */
export function readSysctl(name: SysctlName, namespace?: NetNamespace): string | undefined {
  const path = pathOf(name);
  const operation = `read ${path}`;
  let fd: number;
  try {
    fd = open(path, constants.O_RDONLY, namespace);
  } catch (error) {
    const failure = kernelErrorFrom(operation, error);
    if (failure instanceof KernelError && failure.code === "ENOENT") return undefined;
    throw failure;
  }
  try {
    return readFileSync(fd, "utf8").trimEnd();
  } catch (error) {
    throw kernelErrorFrom(operation, error);
  } finally {
    closeSync(fd);
  }
}

/**
 * Changes a setting; it is in force on return. Throws {@link KernelError}: `ENOENT` when there is none, `EINVAL` for a value it
 * cannot have.
 */
export function writeSysctl(name: SysctlName, value: string, namespace?: NetNamespace): void {
  const path = pathOf(name);
  try {
    const fd = open(path, constants.O_WRONLY, namespace);
    try {
      writeSync(fd, `${value}\n`);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw kernelErrorFrom(`write ${JSON.stringify(value)} to ${path}`, error);
  }
}

/** The file belongs to the namespace in which it was opened, wherever it is read and written. */
function open(path: string, flags: number, namespace: NetNamespace | undefined): number {
  return namespace ? openIn(namespace.fd, path, flags) : openSync(path, flags);
}

function pathOf(name: SysctlName): string {
  const parts = typeof name === "string" ? name.split(".") : name;
  for (const part of parts) {
    if (part === "" || part === "." || part === ".." || part.includes("/") || part.includes("\0")) {
      throw new RangeError(`Cannot use ${JSON.stringify(part)} as a part of the name of a setting`);
    }
  }
  return `/proc/sys/${parts.join("/")}`;
}
