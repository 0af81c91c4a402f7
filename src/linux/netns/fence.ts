import { closeSync } from "node:fs";
import { CLONE_NEWNET, O_CLOEXEC, O_RDONLY, SOCK_CLOEXEC } from "../syscall/constants.ts";
import { openFile, openSocket, setns, unshare } from "../syscall/libc.ts";

/**
 * The only place where a thread leaves its network namespace; docs/dangers.md tells why the rules are what they are. Each
 * function goes there, makes one system call and comes back, without a turn of the event loop in between, so that nothing else
 * can ever run on the wrong side. What it returns is a descriptor, which stays bound to that namespace for life.
 */

const OWN_NAMESPACE = "/proc/thread-self/ns/net";

/** A socket that lives in the namespace of `namespaceFd`, closed on exec. */
export function socketIn(namespaceFd: number, domain: number, type: number, protocol: number): number {
  return inside(
    () => setns(namespaceFd, CLONE_NEWNET),
    () => openSocket(domain, type | SOCK_CLOEXEC, protocol),
  );
}

/** A file below /proc/sys/net as the namespace of `namespaceFd` has it. */
export function openIn(namespaceFd: number, path: string, flags: number): number {
  return inside(
    () => setns(namespaceFd, CLONE_NEWNET),
    () => openFile(path, flags | O_CLOEXEC),
  );
}

/** A descriptor of a new network namespace, which lives as long as something refers to it. */
export function unshareNetNamespace(): number {
  return inside(() => unshare(CLONE_NEWNET), openOwnNetNamespace);
}

/** A descriptor of the network namespace that the calling thread is in. */
export function openOwnNetNamespace(): number {
  return openFile(OWN_NAMESPACE, O_RDONLY | O_CLOEXEC);
}

function inside(enter: () => void, act: () => number): number {
  const home = openOwnNetNamespace();
  try {
    enter();
    try {
      return act();
    } finally {
      comeBack(home);
    }
  } finally {
    closeSync(home);
  }
}

/** A thread that is lost in a pod's namespace would do the node's work there: better no process than that one. */
function comeBack(home: number): void {
  try {
    setns(home, CLONE_NEWNET);
  } catch {
    process.abort();
  }
}
