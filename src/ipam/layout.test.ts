import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { AddressPoolSpec } from "../crd/address-pool.ts";
import { formatPrefix, prefixContains, prefixesOverlap } from "../ip/prefix.ts";
import { blockAt, blockCount, layoutOf, subnetEnd } from "./layout.ts";

/** The block's networks as text, as `kubectl get addressblocks` shows them. */
function blockText(spec: AddressPoolSpec, index: number): { ipv4?: string; ipv6?: string } | undefined {
  const block = blockAt(layoutOf(spec), index);
  return (
    block && { ...(block.ipv4 && { ipv4: formatPrefix(block.ipv4) }), ...(block.ipv6 && { ipv6: formatPrefix(block.ipv6) }) }
  );
}

test("blockAt() cuts the subnet into blocks of 2^blockSizeBits addresses", () => {
  assert.deepEqual(blockText({ blockSizeBits: 0, subnets: [{ ipv4: "10.2.0.0/24" }] }, 3), { ipv4: "10.2.0.3/32" });
  assert.deepEqual(blockText({ blockSizeBits: 2, subnets: [{ ipv4: "10.2.0.0/24" }] }, 3), { ipv4: "10.2.0.12/30" });
  assert.deepEqual(blockText({ blockSizeBits: 5, subnets: [{ ipv6: "fd02::900:0/116" }] }, 10), { ipv6: "fd02::900:140/123" });
  assert.deepEqual(blockText({ blockSizeBits: 5, subnets: [{ ipv4: "10.2.0.0/20", ipv6: "fd02::900:0/116" }] }, 10), {
    ipv4: "10.2.1.64/27",
    ipv6: "fd02::900:140/123",
  });
});

test("indices run through all subnets in their order", () => {
  const spec = {
    blockSizeBits: 1,
    subnets: [
      { ipv4: "10.2.0.0/29", ipv6: "fd02::200/125" },
      { ipv4: "10.3.0.0/30", ipv6: "fd02::300/126" },
    ],
  };
  assert.equal(blockCount(layoutOf(spec)), 6n);
  assert.deepEqual(blockText(spec, 0), { ipv4: "10.2.0.0/31", ipv6: "fd02::200/127" });
  assert.deepEqual(blockText(spec, 3), { ipv4: "10.2.0.6/31", ipv6: "fd02::206/127" });
  assert.deepEqual(blockText(spec, 4), { ipv4: "10.3.0.0/31", ipv6: "fd02::300/127" });
  assert.equal(blockText(spec, 6), undefined);
  assert.deepEqual(
    [0, 3, 4, 5].map((index) => subnetEnd(layoutOf(spec), index)),
    [4, 4, 6, 6],
  );
});

test("host bits in the text are masked", () => {
  assert.deepEqual(blockText({ blockSizeBits: 0, subnets: [{ ipv4: "10.2.0.5/24" }] }, 0), { ipv4: "10.2.0.0/32" });
});

test("pools of 2^64 blocks and more have as many blocks as they say", () => {
  const spec = { blockSizeBits: 5, subnets: [{ ipv6: "fd02::/56" }, { ipv6: "fd03::/120" }] };
  assert.equal(blockCount(layoutOf(spec)), (1n << 67n) + 8n);
  assert.deepEqual(blockText(spec, 1), { ipv6: "fd02::20/123" });
});

test("layoutOf() throws for what validation refuses", () => {
  assert.throws(() => layoutOf({ blockSizeBits: 5, subnets: [{}] }), RangeError);
  assert.throws(() => layoutOf({ blockSizeBits: 5, subnets: [{ ipv4: "10.2.0.0/28" }] }), RangeError);
  assert.throws(() => layoutOf({ blockSizeBits: 5, subnets: [{ ipv4: "10.2.0.0/24", ipv6: "fd02::/112" }] }), RangeError);
  assert.throws(() => layoutOf({ blockSizeBits: 5, subnets: [{ ipv4: "10.2.0.0" }] }), SyntaxError);
});

test("the blocks of a pool lie in its subnets, are disjoint and keep their place when a subnet is appended", () => {
  const sizes = fc.tuple(
    fc.integer({ min: 0, max: 3 }),
    fc.array(fc.integer({ min: 3, max: 6 }), { minLength: 1, maxLength: 3 }),
  );
  fc.assert(
    fc.property(sizes, ([blockSizeBits, hostBits]) => {
      const subnets = hostBits.map((bits, i) => ({ ipv4: `10.${i}.0.0/${32 - bits}`, ipv6: `fd0${i}::/${128 - bits}` }));
      const layout = layoutOf({ blockSizeBits, subnets });
      const shorter = layoutOf({ blockSizeBits, subnets: subnets.slice(0, -1) });
      const blocks = Array.from({ length: Number(blockCount(layout)) }, (_, index) => blockAt(layout, index)!);
      for (const [index, { ipv4, ipv6 }] of blocks.entries()) {
        assert.ok(
          layout.items.some((item) => prefixContains(item.ipv4!, ipv4!.address) && prefixContains(item.ipv6!, ipv6!.address)),
        );
        if (index < Number(blockCount(shorter))) assert.deepEqual(blockAt(shorter, index), { ipv4, ipv6 });
        for (const other of blocks.slice(index + 1))
          assert.ok(!prefixesOverlap(ipv4!, other.ipv4!) && !prefixesOverlap(ipv6!, other.ipv6!));
      }
    }),
    { numRuns: 30 },
  );
});
