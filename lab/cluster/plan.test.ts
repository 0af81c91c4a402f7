import assert from "node:assert/strict";
import { test } from "node:test";
import { planCluster } from "./plan.ts";

test("`planCluster()` names nodes as kind does and gives each an address a family", () => {
  const { nodes, apiServer, serviceRanges } = planCluster({ nodes: 4, family: "dual" });
  assert.deepEqual(nodes, [
    { name: "coil-control-plane", controlPlane: true, addresses: ["172.30.0.2", "fd30::2"] },
    { name: "coil-worker", controlPlane: false, addresses: ["172.30.0.3", "fd30::3"] },
    { name: "coil-worker2", controlPlane: false, addresses: ["172.30.0.4", "fd30::4"] },
    { name: "coil-worker3", controlPlane: false, addresses: ["172.30.0.5", "fd30::5"] },
  ]);
  assert.equal(apiServer, "https://172.30.0.2:6443");
  assert.deepEqual(serviceRanges, ["10.96.0.0/16", "fd10:96::/112"]);
});

test("`planCluster()` keeps the other family out of a lab of one", () => {
  for (const family of ["ipv4", "ipv6"] as const) {
    const plan = planCluster({ nodes: 2, family });
    const texts = JSON.stringify([plan.nodes, plan.nodePorts, plan.outsidePort, plan.bridgeAddresses, plan.serviceRanges]);
    assert.equal(/\d\.\d/.test(texts), family === "ipv4");
    assert.equal(/::/.test(texts), family === "ipv6");
  }
});

test("`planCluster()` puts an IPv6 API server's address into brackets", () => {
  const { apiServer, apiServiceAddress } = planCluster({ nodes: 1, family: "ipv6" });
  assert.equal(apiServer, "https://[fd30::2]:6443");
  assert.equal(apiServiceAddress, "fd10:96::1");
});
