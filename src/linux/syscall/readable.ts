import koffi from "koffi";

/** Calls back when a descriptor can be read; disposing ends it. */
export interface ReadableWatch extends Disposable {}

/**
 * Watches a socket from the event loop itself (libuv's poll handle): no thread waits. Level-triggered: called again as long as
 * there is something to read. Dispose before the descriptor is closed.
 */
export function watchReadable(fd: number, onReadable: () => void): ReadableWatch {
  const interest = { readable: true, writable: false, disconnect: false };
  let open = true;
  // koffi's declaration leaves out the status, which comes first.
  const onEvent = (status: unknown) => {
    onReadable();
    // libuv stops the handle when the socket has an error, for example ENOBUFS, which the reader has taken by now.
    if (open && typeof status === "number" && status < 0) handle.start(interest, onEvent);
  };
  const handle = koffi.node.poll(fd, interest, onEvent);
  return {
    [Symbol.dispose]() {
      open = false;
      handle.close();
    },
  };
}
