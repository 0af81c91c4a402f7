import koffi from "koffi";

/** Calls back when a descriptor can be read; disposing ends it. */
export interface ReadableWatch extends Disposable {}

/**
 * Watches a socket from the event loop itself (libuv's poll handle): no thread waits. Level-triggered: called again as long as
 * there is something to read. Dispose before the descriptor is closed.
 */
export function watchReadable(fd: number, onReadable: () => void): ReadableWatch {
  const handle = koffi.node.poll(fd, { readable: true, writable: false, disconnect: false }, onReadable);
  return { [Symbol.dispose]: () => handle.close() };
}
