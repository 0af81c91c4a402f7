import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { createFaultyKernel } from "../../../test/support/faulty-kernel.ts";
import { attachmentOf, createPodHost } from "../../../test/support/pod-host.ts";
import { linuxKernel } from "./kernel.ts";

const { signal } = new AbortController();

test("a process that dies at any call of a set-up leaves a whole pod or nothing to its successor, which can set it up again", async () => {
  await using lab = await createPodHost();
  const pod = await lab.podNamespace();
  const options = { netns: pod.path, signal };
  const endings = new Set<string>();
  for (const act of ["before", "after"] as const) {
    for (let at = 0; ; at++) {
      const faulty = createFaultyKernel();
      const dying = lab.network({ kernel: faulty.kernel });
      await dying.initialise(signal);
      const dead = Promise.withResolvers<void>();
      faulty.plan((call) => {
        if (call < at) return undefined;
        dead.resolve();
        return call > at || act === "before" ? "dead" : () => new Promise<void>(() => undefined);
      });
      // Nobody hears of a dead process's set-up.
      const done = dying.setUp(attachmentOf(1), options).then(
        () => "made",
        () => "failed",
      );
      const ending = await Promise.race([done, dead.promise]);
      // What was sent to the kernel before goes on to its end.
      await new Promise((resolve) => setTimeout(resolve, 20));
      const where = `${act} call ${at} of: ${faulty.calls.join(" ")}`;

      const successor = lab.network();
      await successor.initialise(signal);
      const [known, ...others] = successor.observed();
      assert.deepStrictEqual(others, [], where);
      const links = await lab.host.ip("-brief link show group 1668245868");
      endings.add(known ? "whole" : "nothing");
      if (known) assert.deepStrictEqual(await successor.check(attachmentOf(1), options), [], where);
      else assert.equal(links, "", where);
      await successor.setUp(attachmentOf(1), options);
      assert.deepStrictEqual(await successor.check(attachmentOf(1), options), [], where);
      assert.equal(await successor.tearDown("c1:eth0", { signal }), "removed", where);
      if (ending === "made") break;
    }
  }
  assert.deepStrictEqual([...endings].sort(), ["nothing", "whole"]);
});

test("after more changes than the kernel could tell, everything is compared", async () => {
  await using lab = await createPodHost();
  const kernel = {
    ...linuxKernel,
    openRouteMonitor: (options: Parameters<typeof linuxKernel.openRouteMonitor>[0]) =>
      linuxKernel.openRouteMonitor({ ...options, receiveBufferBytes: 4096 }),
  };
  const network = lab.network({ kernel });
  await network.initialise(signal);
  lab.start(network);
  const pod = await lab.podNamespace();
  await network.setUp(attachmentOf(1), { netns: pod.path, signal });
  await new Promise((resolve) => setTimeout(resolve, 100));
  const noise = Array.from({ length: 500 }, (_, i) => `route add 198.18.${i >> 8}.${i & 255} dev lo table 99`).join("\n");
  // Synchronously: nothing is read meanwhile.
  execFileSync("nsenter", [`--net=${lab.host.path}`, "ip", "-batch", "-"], { input: `${noise}\nroute flush table 116\n` });
  await eventually("the route", 1000, async () => (await lab.host.ip("route show table 116")).startsWith("10.2.0.1 "));
});
