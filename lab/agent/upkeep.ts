import type { KubeLog } from "../../src/kube/log.ts";
import { isAlive } from "../machine/process.ts";
import type { LightNode } from "./light-node.ts";
import type { PodRecord } from "./pod-record.ts";

const LOOK_MS = 1000;
const GARBAGE_MS = 120_000;

/** Does something at intervals until aborted, the first time after one. */
export async function repeat(ms: number, signal: AbortSignal, action: () => unknown): Promise<void> {
  while (!signal.aborted) {
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener("abort", end);
    });
    if (!signal.aborted) await action();
  }
}

/** Wakes pods whose containers have ended and were started by an earlier agent: their ends are told to nobody. */
export async function lookAfterAdopted(
  records: ReadonlyMap<string, PodRecord>,
  wake: (uid: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const adopted = new Set(records.keys());
  await repeat(LOOK_MS, signal, () => {
    for (const uid of adopted) {
      const containers = Object.values(records.get(uid)?.containers ?? {});
      if (!records.has(uid)) adopted.delete(uid);
      else if (containers.some(({ ended, keeper }) => !ended && !isAlive(keeper))) wake(uid);
    }
  });
}

/** Tells the network of each node now and then which attachments there are, as a container runtime does: all others may go. */
export async function collectGarbage(
  nodes: readonly LightNode[],
  { records, log }: { records: ReadonlyMap<string, PodRecord>; log: KubeLog },
  signal: AbortSignal,
): Promise<void> {
  await repeat(GARBAGE_MS, signal, async () => {
    for (const node of nodes.filter(({ active }) => active)) {
      const own = [...records.values()].filter((record) => record.node === node.name);
      // Also those that are being made: their records are there before them.
      const valid = own.flatMap(({ sandbox, discarded }) => (sandbox ? [sandbox, ...discarded] : discarded));
      const attachments = valid.map(({ id }) => ({ containerId: id }));
      await node.cni.collectGarbage(attachments, { signal }).catch((err: unknown) => {
        if (!signal.aborted) log.warn({ err, node: node.name }, "the network's garbage collection failed");
      });
    }
  });
}
