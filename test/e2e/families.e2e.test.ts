import assert from "node:assert/strict";
import { test } from "node:test";
import { cleanUp, demonstrate } from "../../lab/demo/demo.ts";
import type { Steps } from "../../lab/terminal/steps.ts";
import type { Node } from "../../src/kube/resources.ts";
import { coilLab, startLab } from "../support/lab.ts";

/** Runs the steps and says nothing; what fails is thrown. */
const silent: Steps = {
  async step(_title, action) {
    await action(() => {});
  },
  say() {},
  show() {},
};

for (const family of ["ipv4", "ipv6"] as const) {
  test(`all of it holds in a lab of ${family} alone`, async () => {
    await using lab = await startLab({ nodes: 2, family });
    const [node] = await lab.kubectl.list<Node>("nodes");
    const addresses = (node?.status?.addresses ?? []).filter(({ type }) => type === "InternalIP");
    assert.deepEqual(
      addresses.map(({ address }) => address.includes(":")),
      [family === "ipv6"],
    );
    await demonstrate(lab.plan, lab.kubectl, silent);
    await cleanUp(lab.plan, lab.kubectl, silent);
    await coilLab("status");
  });
}

test("a lab of one node works", async () => {
  await using lab = await startLab({ nodes: 1, family: "dual" });
  await demonstrate(lab.plan, lab.kubectl, silent);
  await cleanUp(lab.plan, lab.kubectl, silent);
});
