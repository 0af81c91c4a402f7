import { setTimeout as sleep } from "node:timers/promises";

const STEP_MS = 20;

/** Asks `read` again and again until it gives something. Rejects after `timeoutMs` with `what` in the message. */
export async function eventually<T>(what: string, timeoutMs: number, read: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await read();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain for: ${what}`);
    await sleep(STEP_MS);
  }
}
