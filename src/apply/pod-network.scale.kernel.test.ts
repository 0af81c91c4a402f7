import assert from "node:assert/strict";
import { readdirSync, readlinkSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { attachmentOf, createPodHost, type PodHost } from "../../test/support/pod-host.ts";
import { createRandom } from "../../test/support/random.ts";
import { createNetNamespace, openNetNamespace } from "../linux/netns/namespace.ts";
import { openRouteSocket } from "../linux/route/socket.ts";
import { addressesOf, type PodAttachment } from "../podnet/plan.ts";

const { signal } = new AbortController();

/** Descriptors by what they are of; sockets of the test runner come and go, so only namespaces and netlink count. */
function descriptors(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return /^(net:|socket:)/.test(readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      return false;
    }
  }).length;
}

/** Whether the kernel delivers packets to the pod's addresses, by its routes and its tentative ones. */
async function isReady(attachment: PodAttachment, netns: string): Promise<boolean> {
  using namespace = openNetNamespace(netns);
  using socket = openRouteSocket(namespace);
  const routes = await Promise.all(addressesOf(attachment).map((address) => socket.routeTo(address)));
  const addresses = await socket.addresses();
  return routes.every((route) => route?.type === "local") && !addresses.some(({ tentative }) => tentative);
}

async function hostState(lab: PodHost): Promise<string> {
  const commands = [
    "ip -oneline link",
    "ip route show table 116",
    "ip -6 route show table 116",
    "ip neighbour show nud permanent",
  ];
  return lab.host.exec("sh", "-c", commands.join("; "));
}

test("200 pods at once are all set up whole, 200 tear-downs at once leave nothing, and no descriptor stays open", async (t) => {
  await using lab = await createPodHost();
  const drift: string[] = [];
  const network = lab.network({ metrics: { driftRepaired: (kind) => drift.push(kind), phase: () => undefined } });
  await network.initialise(signal);
  lab.start(network);
  await sleep(100);
  const empty = await hostState(lab);
  const before = descriptors();
  {
    using spaces = new DisposableStack();
    const pods = Array.from({ length: 200 }, (_, i) => {
      const ns = spaces.use(createNetNamespace());
      return { attachment: attachmentOf(i + 1), netns: `/proc/self/fd/${ns.fd}` };
    });
    const withNamespaces = descriptors();
    const ready: boolean[] = [];
    let started = performance.now();
    await Promise.all(
      pods.map(async ({ attachment, netns }) => {
        await network.setUp(attachment, { netns, signal });
        ready.push(await isReady(attachment, netns));
      }),
    );
    t.diagnostic(`200 set-ups in ${Math.round(performance.now() - started)} ms`);
    assert.deepStrictEqual(new Set(ready), new Set([true]), "takes packets in the instant in which the set-up ends");
    assert.equal(descriptors(), withNamespaces);
    assert.equal(network.observed().length, 200);
    for (const { attachment, netns } of pods) assert.deepStrictEqual(await network.check(attachment, { netns, signal }), []);
    await lab.host.exec("ping", "-c1", "-W1", "10.2.0.200");

    started = performance.now();
    const outcomes = await Promise.all(pods.map(({ attachment }) => network.tearDown(attachment.key, { signal })));
    t.diagnostic(`200 tear-downs in ${Math.round(performance.now() - started)} ms`);
    assert.deepStrictEqual(new Set(outcomes), new Set(["removed"]));
    assert.equal(await hostState(lab), empty);
    assert.deepStrictEqual([network.observed(), drift], [[], []]);
  }
  assert.equal(descriptors(), before);
});

test("set-ups, repeats, aborts, tear-downs and vanishing namespaces in any order end in what was asked for last", async (t) => {
  await using lab = await createPodHost();
  const random = createRandom();
  t.diagnostic(`seed ${random.seed}`);
  const network = lab.network();
  await network.initialise(signal);
  lab.start(network);
  await sleep(100);
  const empty = await hostState(lab);
  const gone = new Set<string>();
  network.onGone((key) => gone.add(key));
  /** One pod that lives several lives, each act after the other; all pods at the same time. */
  async function live(n: number): Promise<"there" | "absent"> {
    const attachment = attachmentOf(n);
    let ns = createNetNamespace();
    let state: "there" | "absent" = "absent";
    for (let act = 0; act < 6; act++) {
      const netns = `/proc/self/fd/${ns.fd}`;
      switch (random.integer(4)) {
        case 0: {
          const controller = new AbortController();
          setTimeout(() => controller.abort(new Error("caller gone")), random.integer(20));
          const result = await network.setUp(attachment, { netns, signal: controller.signal }).catch(() => "failed");
          // A whole network may be found and kept before the abort is looked at.
          if (result !== "failed") state = "there";
          else state = network.observed().some(({ key }) => key === attachment.key) ? "there" : "absent";
          break;
        }
        case 1:
          await Promise.all([1, 2].map(() => network.setUp(attachment, { netns, signal })));
          state = "there";
          break;
        case 2:
          await Promise.all([1, 2].map(() => network.tearDown(attachment.key, { signal })));
          state = "absent";
          break;
        default:
          // The last reference: the kernel takes the namespace down, and the pair with it.
          ns[Symbol.dispose]();
          ns = createNetNamespace();
          if (state === "there") {
            while (!gone.has(attachment.key)) await sleep(5);
            gone.delete(attachment.key);
          }
          state = "absent";
      }
    }
    const netns = `/proc/self/fd/${ns.fd}`;
    if (state === "there") assert.deepStrictEqual(await network.check(attachment, { netns, signal }), []);
    ns[Symbol.dispose]();
    if (state === "there") while (!gone.has(attachment.key)) await sleep(5);
    return state;
  }
  await Promise.all(Array.from({ length: 24 }, (_, i) => live(i + 1)));
  assert.deepStrictEqual(network.observed(), []);
  assert.equal(await hostState(lab), empty);
});

test("a set-up and a tear-down are not held up by deletions that go on", async () => {
  await using lab = await createPodHost();
  const network = lab.network();
  await network.initialise(signal);
  using spaces = new DisposableStack();
  const namespace = () => `/proc/self/fd/${spaces.use(createNetNamespace()).fd}`;
  for (let n = 1; n <= 20; n++) await network.setUp(attachmentOf(n), { netns: namespace(), signal });
  const netns = namespace();
  const removals = Array.from({ length: 20 }, (_, i) => network.tearDown(`c${i + 1}:eth0`, { signal }));
  await sleep(1);
  await network.setUp(attachmentOf(21), { netns, signal });
  assert.deepStrictEqual(new Set(await Promise.all(removals)), new Set(["removed"]));
  assert.deepStrictEqual(
    network.observed().map(({ key }) => key),
    ["c21:eth0"],
  );
});
