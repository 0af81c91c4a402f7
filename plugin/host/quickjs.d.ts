/** What this host uses of QuickJS's own modules. Functions answer with a negative errno when they fail. */
declare module "quickjs:std" {
  export function exit(code: number): never;
  export function getenv(name: string): string | undefined;
  export function strerror(errno: number): string;
}

declare module "quickjs:os" {
  export const O_WRONLY: number;
  export const O_CREAT: number;
  export const O_TRUNC: number;
  export function open(path: string, flags: number, mode: number): number;
  export function close(fd: number): number;
  export function read(fd: number, buffer: ArrayBuffer, offset: number, length: number): number;
  export function write(fd: number, buffer: ArrayBuffer, offset: number, length: number): number;
  export function isatty(fd: number): boolean;
  export function mkdir(path: string, mode: number): number;
  export function rename(from: string, to: string): number;
  export function remove(path: string): number;
  export function getpid(): number;
  export function now(): number;
  export function sleep(ms: number): void;
}

/** socket.c */
declare module "quickjs:socket" {
  /** A descriptor connected to the UNIX socket, or a negative errno: `EAGAIN` if it took longer than `timeoutMs`. */
  export function connect(path: string, timeoutMs: number): number;
  /** Limits every later read and write of the descriptor, which then answers `EAGAIN`. 0, or a negative errno. */
  export function setTimeouts(fd: number, timeoutMs: number): number;
  /** `ENOENT` for 2, and so on. */
  export function errnoName(errno: number): string;
}
