import koffi from "koffi";
import { KernelError } from "../kernel-error.ts";
import { slowly } from "./slow-calls.ts";

/**
 * The system calls that Node does not have. Every function here is synchronous and short, but for the two that may wait for a
 * lock of the kernel: they run on a thread of the pool and return a promise. Descriptors that come from here are closed by
 * `closeSync` of node:fs like any other.
 */

const libc = koffi.load(null);
const calls = {
  setns: libc.func("int setns(int fd, int nstype)"),
  unshare: libc.func("int unshare(int flags)"),
  open: libc.func("int open(const char *path, int flags)"),
  ioctl: libc.func("int ioctl(int fd, unsigned long request)"),
  socket: libc.func("int socket(int domain, int type, int protocol)"),
  connect: libc.func("int connect(int fd, const void *address, uint32_t length)"),
  setsockopt: libc.func("int setsockopt(int fd, int level, int name, const void *value, uint32_t length)"),
  send: libc.func("int64_t send(int fd, const void *data, size_t length, int flags)"),
  recv: libc.func("int64_t recv(int fd, void *data, size_t length, int flags)"),
};

/** Moves the calling thread into a namespace. Only `netns/fence.ts` may call this. */
export function setns(fd: number, type: number): void {
  check("enter a namespace", calls.setns(fd, type));
}

/** Moves the calling thread into a new namespace. Only `netns/fence.ts` may call this. */
export function unshare(flags: number): void {
  check("create a namespace", calls.unshare(flags));
}

/** open(2), for files whose content depends on the namespace of the thread that opens them. Returns a descriptor. */
export function openFile(path: string, flags: number): number {
  return check(`open ${path}`, calls.open(path, flags));
}

/** ioctl(2) without an argument. */
export function ioctl(fd: number, request: number): number {
  return check("ask about a descriptor", calls.ioctl(fd, request));
}

/** socket(2). Returns a descriptor. */
export function openSocket(domain: number, type: number, protocol: number): number {
  return check("open a socket", calls.socket(domain, type, protocol));
}

/** connect(2) with an encoded socket address. */
export function connectSocket(fd: number, address: Uint8Array): void {
  check("connect a socket", calls.connect(fd, address, address.length));
}

/** setsockopt(2) with an `int`. */
export function setSocketOption(fd: number, level: number, name: number, value: number): void {
  check(`set socket option ${level}/${name}`, calls.setsockopt(fd, level, name, new Int32Array([value]), 4));
}

/**
 * send(2) of the first `length` bytes, on a thread of the pool: it may wait for a lock of the kernel. Keep `data` unchanged until
 * then.
 */
export function sendSlow(fd: number, data: Uint8Array, length: number): Promise<number> {
  return slowly(() => start("send a message", data, (done) => calls.send.async(fd, data, length, 0, done)));
}

/**
 * recv(2) that never waits for data. Returns the size of the datagram (also when `into` is smaller), or undefined when there is
 * none.
 */
export function receiveNow(fd: number, into: Uint8Array, flags: number): number | undefined {
  const length = Number(calls.recv(fd, into, into.length, flags));
  if (length >= 0) return length;
  return nothingThere(koffi.errno());
}

/**
 * As {@link receiveNow}, on a thread of the pool: receiving a part of a dump makes the next one, which may wait for a lock of the
 * kernel.
 */
export async function receiveSlow(fd: number, into: Uint8Array, flags: number): Promise<number | undefined> {
  try {
    return await slowly(() => start("receive a message", into, (done) => calls.recv.async(fd, into, into.length, flags, done)));
  } catch (error) {
    if (error instanceof KernelError) return nothingThere(error.errno);
    throw error;
  }
}

function nothingThere(errno: number): undefined {
  if (errno === koffi.os.errno["EAGAIN"] || errno === koffi.os.errno["EINTR"]) return undefined;
  throw new KernelError({ operation: "receive a message", errno });
}

function check(operation: string, result: number): number {
  if (result < 0) throw new KernelError({ operation, errno: koffi.errno() });
  return result;
}

/** `memory` is what the call works on: the closure keeps it from being collected meanwhile. */
function start(
  operation: string,
  memory: Uint8Array,
  call: (done: (error: unknown, result: number) => void) => void,
): Promise<number> {
  return new Promise((resolve, reject) => {
    call((error, result) => {
      if (error) reject(error);
      // koffi restores the thread's errno for the time of this callback only.
      else if (result < 0) reject(new KernelError({ operation, errno: koffi.errno() }));
      else resolve(memory.length >= 0 ? Number(result) : 0);
    });
  });
}
