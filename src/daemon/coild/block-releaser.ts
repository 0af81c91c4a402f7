import type { Block } from "../../ipam/block.ts";
import type { NodeIpam } from "../../ipam/node-ipam.ts";
import { backoffMs } from "../../kube/backoff.ts";
import type { Clock } from "../../kube/clock.ts";
import type { Logger } from "../../observe/logger.ts";

/** Gives empty blocks back, in the background. */
export interface BlockReleaser {
  /** A block may have become empty, or be empty for other reasons than time. */
  wake(): void;
  /** Works until aborted. */
  run(signal: AbortSignal): Promise<void>;
}

export interface BlockReleaserDeps {
  readonly ipam: Pick<NodeIpam, "releasable" | "beginRelease" | "nextDeadline">;
  /** Resolves when the block is not exported any more. */
  readonly withdraw: (block: Block, options: { readonly signal: AbortSignal }) => Promise<void>;
  /** Resolves when the API server has let go of the block. */
  readonly release: (block: Block, options: { readonly signal: AbortSignal }) => Promise<void>;
  readonly released: (block: Block) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

const RETRY = { baseMs: 500, maxMs: 30_000 };
/** Wakes that come in a row are one. */
const SETTLE_MS = 50;

/**
 * First nothing is allocated from the block any more, then its route is withdrawn, then the API server may give it to others. Each
 * step is tried until it succeeds; the way back is never taken.
 */
export function createBlockReleaser(deps: BlockReleaserDeps): BlockReleaser {
  const { ipam, clock, log } = deps;
  let wake = () => {};

  async function giveBack(block: Block, signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      try {
        await deps.withdraw(block, { signal });
        await deps.release(block, { signal });
        deps.released(block);
        log.info({ block: block.name }, "gave a block back");
        return;
      } catch (err) {
        if (signal.aborted) return;
        failures++;
        const level = failures === 3 ? "warn" : "debug";
        log[level]({ err, block: block.name }, "cannot give a block back yet");
        await clock.sleep(backoffMs(RETRY, failures), { signal }).catch(() => undefined);
      }
    }
  }

  return {
    wake: () => wake(),
    async run(signal) {
      const under = new Set<Promise<void>>();
      while (!signal.aborted) {
        const woken = new AbortController();
        wake = () => woken.abort();
        signal.addEventListener("abort", wake, { once: true });
        for (const block of ipam.releasable(clock.now())) {
          if (!ipam.beginRelease(block.name)) continue;
          const work = giveBack(block, signal).finally(() => under.delete(work));
          under.add(work);
        }
        const deadline = ipam.nextDeadline(clock.now());
        const wait = deadline === undefined ? DAY_MS : Math.max(1, Math.ceil(deadline - clock.now()));
        await clock.sleep(wait, { signal: woken.signal }).catch(() => undefined);
        signal.removeEventListener("abort", wake);
        await clock.sleep(SETTLE_MS, { signal }).catch(() => undefined);
      }
      await Promise.all(under);
    },
  };
}

const DAY_MS = 86_400_000;
