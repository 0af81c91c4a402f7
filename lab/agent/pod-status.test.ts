import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../src/kube/resources.ts";
import type { ContainerRecord, PodRecord } from "./pod-record.ts";
import { podStatus } from "./pod-status.ts";

const NOW = "2026-01-01T00:00:10Z";
const hostIps = ["172.30.0.3", "fd30::3"];

const pod = (spec: Partial<Pod["spec"]> = {}, metadata: Partial<Pod["metadata"]> = {}): Pod => ({
  metadata: { name: "p", namespace: "n", uid: "u", ...metadata },
  spec: { containers: [{ name: "a" }, { name: "b" }], ...spec },
});

const run = (exitCode?: number): ContainerRecord => ({
  id: "0",
  keeper: { pid: 1, startTime: "0" },
  startedAt: "2026-01-01T00:00:00Z",
  restarts: 0,
  ...(exitCode !== undefined && { ended: { exitCode, at: "2026-01-01T00:00:05Z" } }),
});

const record = (containers: Record<string, ContainerRecord>, changes: Partial<PodRecord> = {}): PodRecord => ({
  uid: "u",
  namespace: "n",
  name: "p",
  node: "coil-worker",
  hostNetwork: false,
  sandbox: {
    id: "1",
    namespace: "coil-pod-1",
    nodeNamespace: "1",
    portMappings: [],
    result: { ips: [{ address: "10.1.0.1/32" }, { address: "fd00::1/128" }] },
  },
  discarded: [],
  containers,
  ...changes,
});

function statusOf(of: Pod, known: PodRecord | undefined, backingOff: string[] = []) {
  return podStatus(of, { record: known, hostIps, backingOff: new Set(backingOff), now: NOW });
}

const conditions = (status: ReturnType<typeof statusOf>) =>
  Object.fromEntries((status.conditions ?? []).map(({ type, status: value }) => [type, value]));

test("a pod whose containers run is ready, with its addresses and its node's", () => {
  const status = statusOf(pod(), record({ a: run(), b: run() }));
  assert.equal(status.phase, "Running");
  assert.deepEqual(status.podIPs, [{ ip: "10.1.0.1" }, { ip: "fd00::1" }]);
  assert.deepEqual(status.hostIPs, [{ ip: "172.30.0.3" }, { ip: "fd30::3" }]);
  assert.deepEqual(conditions(status), {
    PodReadyToStartContainers: "True",
    Initialized: "True",
    ContainersReady: "True",
    Ready: "True",
  });
});

test("a pod without a sandbox is pending, with containers that are being created", () => {
  const status = statusOf(pod(), undefined);
  assert.equal(status.phase, "Pending");
  assert.equal(status.podIPs, undefined);
  assert.deepEqual(status.containerStatuses?.[0]?.state, { waiting: { reason: "ContainerCreating" } });
  assert.equal(conditions(status)["Ready"], "False");
});

test("a pod on its node's network has the node's addresses", () => {
  const status = statusOf(pod({ hostNetwork: true }), record({ a: run(), b: run() }, { hostNetwork: true }));
  assert.equal(status.podIP, "172.30.0.3");
});

test("the phase follows the ends of the containers and the restart policy", () => {
  const phase = (restartPolicy: string, a: number | undefined, b: number | undefined) =>
    statusOf(pod({ restartPolicy }), record({ a: run(a), b: run(b) })).phase;
  assert.equal(phase("Never", 0, 0), "Succeeded");
  assert.equal(phase("Never", 0, 1), "Failed");
  assert.equal(phase("Never", 0, undefined), "Running");
  assert.equal(phase("OnFailure", 0, 0), "Succeeded");
  assert.equal(phase("OnFailure", 0, 1), "Running");
  assert.equal(phase("Always", 0, 0), "Running");
});

test("a container that waits for its next start is in CrashLoopBackOff, with its last end", () => {
  const status = statusOf(pod(), record({ a: run(3), b: run() }), ["a"]);
  const [a] = status.containerStatuses ?? [];
  assert.equal(a?.state?.waiting?.reason, "CrashLoopBackOff");
  assert.equal(a?.lastState?.terminated?.exitCode, 3);
  assert.equal(conditions(status)["Ready"], "False");
});

test("a failed init container fails a pod that never restarts", () => {
  const status = statusOf(pod({ restartPolicy: "Never", initContainers: [{ name: "i" }] }), record({ i: run(1) }));
  assert.equal(status.phase, "Failed");
});

test("the time of a condition changes with its status only, and foreign conditions stay", () => {
  const conditionsBefore = {
    conditions: [
      { type: "PodScheduled", status: "True" },
      { type: "Ready", status: "True", lastTransitionTime: "2026-01-01T00:00:01Z" },
      { type: "Initialized", status: "False", lastTransitionTime: "2026-01-01T00:00:01Z" },
    ],
  };
  const before: Pod = { ...pod(), status: conditionsBefore };
  const { conditions: after } = statusOf(before, record({ a: run(), b: run() }));
  const times = Object.fromEntries((after ?? []).map(({ type, lastTransitionTime }) => [type, lastTransitionTime]));
  assert.equal(times["Ready"], "2026-01-01T00:00:01Z");
  assert.equal(times["Initialized"], NOW);
  assert.ok("PodScheduled" in times);
});
