import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { KernelError, kernelErrorFrom } from "../kernel-error.ts";
import { CLONE_NEWNET, NS_GET_NSTYPE } from "../syscall/constants.ts";
import { errnoOf } from "../syscall/errno.ts";
import { ioctl } from "../syscall/libc.ts";
import { openOwnNetNamespace, unshareNetNamespace } from "./fence.ts";

/** A reference to a network namespace: as long as it is not disposed, the namespace exists. */
export interface NetNamespace extends Disposable {
  /** The descriptor. Throws `Error` after disposal, because the number may belong to something else by then. */
  readonly fd: number;
  /** Tells namespaces apart, as `/proc/<pid>/ns/net` shows it. */
  readonly inode: bigint;
}

/**
 * Opens the namespace at `path`, for example `/var/run/netns/x` or `/proc/17/ns/net`. Throws {@link KernelError}: `ENOENT`, or
 * `EINVAL` when the file is not a network namespace.
 */
export function openNetNamespace(path: string): NetNamespace {
  const operation = `open the network namespace ${path}`;
  let fd: number;
  try {
    // Not blocking: the path comes from outside and might name a FIFO.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw kernelErrorFrom(operation, error);
  }
  if (isNetNamespace(fd)) return reference(fd);
  closeSync(fd);
  throw new KernelError({ operation, errno: errnoOf("EINVAL"), detail: "the file is not a network namespace" });
}

/** The namespace that this process runs in. */
export function openCurrentNetNamespace(): NetNamespace {
  return reference(openOwnNetNamespace());
}

/**
 * A new namespace without a name, its `lo` down; it vanishes with the last reference. Takes milliseconds: for tests and tools.
 */
export function createNetNamespace(): NetNamespace {
  return reference(unshareNetNamespace());
}

function isNetNamespace(fd: number): boolean {
  try {
    return ioctl(fd, NS_GET_NSTYPE) === CLONE_NEWNET;
  } catch {
    return false;
  }
}

function reference(fd: number): NetNamespace {
  const inode = fstatSync(fd, { bigint: true }).ino;
  let open = true;
  return {
    inode,
    get fd() {
      if (!open) throw new Error(`Cannot use the network namespace ${inode}: it is closed`);
      return fd;
    },
    [Symbol.dispose]() {
      if (open) closeSync(fd);
      open = false;
    },
  };
}
