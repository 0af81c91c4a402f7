import { closeSync } from "node:fs";
import { KernelError } from "../kernel-error.ts";
import { socketIn } from "../netns/fence.ts";
import type { NetNamespace } from "../netns/namespace.ts";
import {
  AF_NETLINK,
  MSG_DONTWAIT,
  MSG_TRUNC,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SOCK_CLOEXEC,
  SOCK_RAW,
  SOL_NETLINK,
  SOL_SOCKET,
} from "../syscall/constants.ts";
import { connectSocket, openSocket, receiveNow, receiveSlow, sendSlow, setSocketOption } from "../syscall/libc.ts";
import { watchReadable } from "../syscall/readable.ts";
import { type ByteView, viewOf } from "./byte-view.ts";
import { NETLINK_ADD_MEMBERSHIP, NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK } from "./constants.ts";
import { MessageWriter } from "./writer.ts";

/** No datagram of rtnetlink is larger: dumps come in pieces of at most 32 KiB, single answers are limited to 64 KiB. */
const LARGEST_DATAGRAM = 65536;

/** Sends and receives datagrams of one netlink socket: the seam at which tests inject faults. */
export interface NetlinkTransport extends Disposable {
  /** Resolves when the kernel has worked on all of it, off the event loop; the answers are there by then. */
  send(datagram: Uint8Array): Promise<void>;
  /**
   * A datagram that is there already, or undefined. Its memory is used again by the next call. Throws {@link KernelError},
   * `ENOBUFS` when some were lost.
   */
  receive(): ByteView | undefined;
  /** As `receive`, off the event loop, for parts of dumps. */
  receiveSlow(): Promise<ByteView | undefined>;
  /** Calls back as long as there is something to receive. */
  watch(onReadable: () => void): Disposable;
}

/** How to open a {@link NetlinkTransport}. */
export interface TransportOptions {
  /** NETLINK_ROUTE and so on. */
  readonly protocol: number;
  /** Where the socket lives; the current namespace if absent. */
  readonly namespace?: NetNamespace | undefined;
  /** Multicast groups to hear, from the moment this returns. */
  readonly groups?: readonly number[] | undefined;
  /**
   * Bytes for datagrams that wait to be read; the system's default if absent. Above the limit of the system only with
   * CAP_NET_ADMIN there.
   */
  readonly receiveBufferBytes?: number | undefined;
}

/** Opens a netlink socket. Throws {@link KernelError}. */
export function openNetlinkTransport(options: TransportOptions): NetlinkTransport {
  const fd = openIn(options.namespace, options.protocol);
  try {
    configure(fd, options);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  let memory: Uint8Array | undefined;
  const buffer = () => (memory ??= Buffer.allocUnsafeSlow(LARGEST_DATAGRAM));
  return {
    async send(datagram) {
      const sent = await sendSlow(fd, datagram, datagram.length);
      if (sent !== datagram.length) throw new Error(`Unreachable: netlink took ${sent} of ${datagram.length} bytes`);
    },
    receive() {
      const into = buffer();
      return datagramOf(into, receiveNow(fd, into, MSG_DONTWAIT | MSG_TRUNC));
    },
    async receiveSlow() {
      const into = buffer();
      return datagramOf(into, await receiveSlow(fd, into, MSG_DONTWAIT | MSG_TRUNC));
    },
    watch: (onReadable) => watchReadable(fd, onReadable),
    [Symbol.dispose]: () => closeSync(fd),
  };
}

function openIn(namespace: NetNamespace | undefined, protocol: number): number {
  if (namespace) return socketIn(namespace.fd, AF_NETLINK, SOCK_RAW, protocol);
  return openSocket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
}

function configure(fd: number, { groups, receiveBufferBytes }: TransportOptions): void {
  setSocketOption(fd, SOL_NETLINK, NETLINK_EXT_ACK, 1);
  setSocketOption(fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
  setSocketOption(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
  if (receiveBufferBytes !== undefined) setReceiveBuffer(fd, receiveBufferBytes);
  // Connected to port 0, so that no other process can send us an answer in the kernel's name. This also gives us a port.
  connectSocket(fd, kernelAddress());
  for (const group of groups ?? []) setSocketOption(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group);
}

function setReceiveBuffer(fd: number, size: number): void {
  try {
    setSocketOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, size);
  } catch (error) {
    if (!(error instanceof KernelError) || error.code !== "EPERM") throw error;
    setSocketOption(fd, SOL_SOCKET, SO_RCVBUF, size);
  }
}

/** `struct sockaddr_nl` of port 0 without groups: the kernel. */
function kernelAddress(): Uint8Array {
  const writer = new MessageWriter(12);
  writer.u16(AF_NETLINK);
  writer.zeros(10);
  return writer.written;
}

function datagramOf(memory: Uint8Array, length: number | undefined): ByteView | undefined {
  if (length === undefined) return undefined;
  if (length > memory.length)
    throw new RangeError(`Cannot receive a netlink datagram of ${length} bytes: at most ${memory.length}`);
  return viewOf(memory.subarray(0, length));
}
