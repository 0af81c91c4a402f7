import assert from "node:assert/strict";
import { test } from "node:test";
import { createFakeClock } from "../../../test/support/fake-clock.ts";
import { parsePrefix } from "../../ip/prefix.ts";
import type { Block } from "../../ipam/block.ts";
import { createNodeIpam } from "../../ipam/node-ipam.ts";
import { createSilentLogger } from "../../observe/logger.ts";
import { createBlockReleaser } from "./block-releaser.ts";

const block: Block = {
  ...{ name: "a-0", uid: "u0", pool: "a", node: "n", index: 0, ipv4: parsePrefix("10.0.0.0/31"), size: 2 },
  ...{ reserved: false, terminating: false },
};

/** A releaser of one empty block, and what it did. `fails`: the steps that fail, as often as they are named. */
function runningReleaser(fails: string[]) {
  const clock = createFakeClock();
  const ipam = createNodeIpam({ holdMs: 1_000, startHoldMs: 1_000, reuseDelayMs: 0 });
  ipam.setBlocks([block], clock.now());
  const done: string[] = [];
  const step = (name: string) => async () => {
    done.push(`${name} at ${clock.now()}`);
    const at = fails.indexOf(name);
    if (at < 0) return;
    fails.splice(at, 1);
    throw new Error(`${name} failed`);
  };
  const releaser = createBlockReleaser({
    ...{ ipam, clock, log: createSilentLogger(), withdraw: step("withdraw"), release: step("release") },
    released: () => void done.push("released"),
  });
  const stopping = new AbortController();
  const ended = releaser.run(stopping.signal);
  const stop = async () => {
    stopping.abort(new Error("enough"));
    await ended;
  };
  return { clock, ipam, done, releaser, stop };
}

test("an empty block is withdrawn and then released when its time has come", async () => {
  const { clock, ipam, done, stop } = runningReleaser([]);
  await clock.advance(999);
  assert.equal(done.length, 0);
  await clock.advance(51);
  await stop();
  assert.deepEqual(
    done.map((text) => text.split(" ")[0]),
    ["withdraw", "release", "released"],
  );
  assert.equal(ipam.allocate("p", "a", clock.now()).kind, "need-block");
});

test("each step is tried until it succeeds, and nothing is allocated from the block in between", async () => {
  const { clock, ipam, done, stop } = runningReleaser(["withdraw", "release", "release"]);
  await clock.advance(1_100);
  assert.equal(ipam.allocate("p", "a", clock.now()).kind, "need-block");
  await clock.advance(10_000);
  await stop();
  assert.deepEqual(
    done.map((text) => text.split(" ")[0]),
    [...["withdraw", "withdraw", "release", "withdraw", "release", "withdraw", "release", "released"]],
  );
});

test("wake() makes it look at once", async () => {
  const { clock, ipam, done, releaser, stop } = runningReleaser([]);
  await clock.advance(100);
  ipam.setTerminatingPools(new Set(["a"]));
  releaser.wake();
  await clock.advance(60);
  await stop();
  assert.equal(done.at(-1), "released");
});

test("a block that was used again in time stays", async () => {
  const { clock, ipam, done, stop } = runningReleaser([]);
  await clock.advance(500);
  ipam.allocate("p", "a", clock.now());
  await clock.advance(5_000);
  await stop();
  assert.deepEqual(done, []);
});
