/**
 * How many system calls that may wait run at the same time. The pool has four threads unless told otherwise, and files and DNS
 * must not wait for a lock of the network. More would not be faster: the kernel's configuration lock lets one through at a time.
 */
const AT_ONCE = 3;

/** For the whole process, as the pool is. */
let running = 0;
const waiting: (() => void)[] = [];

/** Runs `call` as soon as fewer than {@link AT_ONCE} others run, in the order in which they came. */
export async function slowly<T>(call: () => Promise<T>): Promise<T> {
  if (running === AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  else running++;
  try {
    return await call();
  } finally {
    // The next one takes over the place.
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}
