/** An abort controller that is aborted by another signal or a time-out, and keeps neither busy after its disposal. */
export interface LinkedController extends Disposable {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
}

/** Links it to `parent`, if any, and to a time-out of `ms`, if any, whose reason is a `TimeoutError`. */
export function linkedController(parent: AbortSignal | undefined, ms?: number): LinkedController {
  const controller = new AbortController();
  const onAbort = () => controller.abort(parent?.reason);
  const expire = () => controller.abort(new DOMException(`Not done within ${Math.round(ms ?? 0)} ms`, "TimeoutError"));
  const timer = ms === undefined ? undefined : setTimeout(expire, ms);
  if (parent?.aborted) onAbort();
  else parent?.addEventListener("abort", onAbort, { once: true });
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    [Symbol.dispose]() {
      clearTimeout(timer);
      parent?.removeEventListener("abort", onAbort);
      controller.abort(new DOMException("No longer needed", "AbortError"));
    },
  };
}
