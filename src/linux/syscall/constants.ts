/**
 * Numbers of the C library and of the kernel's socket API, under their C names; compared with the headers in constants.test.ts.
 */

export const CLONE_NEWNET = 0x40000000;
/** ioctl on a namespace's descriptor: which CLONE_NEW* made it. */
export const NS_GET_NSTYPE = 0xb703;

export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_NONBLOCK = 0o4000;
export const O_CLOEXEC = 0o2000000;

export const AF_UNSPEC = 0;
export const AF_INET = 2;
export const AF_BRIDGE = 7;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;

export const SOCK_RAW = 3;
export const SOCK_CLOEXEC = 0o2000000;

export const SOL_SOCKET = 1;
export const SO_RCVBUF = 8;
export const SO_RCVBUFFORCE = 33;
export const SOL_NETLINK = 270;

export const MSG_TRUNC = 0x20;
export const MSG_DONTWAIT = 0x40;
