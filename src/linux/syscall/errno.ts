import koffi from "koffi";

/** Linux' own numbers that no C library names: they leak out of some subsystems. */
const KERNEL_ONLY: Readonly<Record<number, string>> = { 512: "ERESTARTSYS", 524: "ENOTSUPP" };

/** Where two names share a number, the one the kernel's sources use. */
const PREFERRED = ["EAGAIN", "EDEADLK", "EOPNOTSUPP"];

const NAMES: ReadonlyMap<number, string> = new Map([
  ...Object.entries(koffi.os.errno).map(([name, number]): [number, string] => [number, name]),
  ...PREFERRED.map((name): [number, string] => [errnoOf(name), name]),
  ...Object.entries(KERNEL_ONLY).map(([number, name]): [number, string] => [Number(number), name]),
]);

/** The name of an error number, `EEXIST` for 17; `E<number>` when it has none. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `E${errno}`;
}

/** The error number of a name, 17 for `EEXIST`. Throws `RangeError` for a name that this machine does not know. */
export function errnoOf(name: string): number {
  const errno = koffi.os.errno[name];
  if (errno === undefined) throw new RangeError(`Cannot find the error number of ${name}`);
  return errno;
}
