import assert from "node:assert/strict";
import { test } from "node:test";
import { PodNetworkError } from "../../apply/pod-network-error.ts";
import { CNI_ERROR, CniError, cniErrorBody } from "../../cni/error.ts";
import { ApiError, ConnectionError } from "../../kube/api-error.ts";
import { AllocationError } from "./allocation-error.ts";
import { cniFailure } from "./cni-failure.ts";

/** Code, reason and message of an error that ended an ADD of pod ns/p from pool x. */
function outcome(error: unknown): string {
  const failure = cniFailure(error, { command: "ADD", pod: "ns/p", pool: "x" });
  const { code, msg, details } = cniErrorBody(failure.error);
  return [code, failure.reason, msg, ...(details ? [details] : [])].join(" | ");
}

test("every error has its code, its reason and a sentence that names pod and pool", () => {
  const address = "cannot allocate an address for pod ns/p from pool x:";
  const network = "cannot set up the network of pod ns/p:";
  const cases: [unknown, string][] = [
    [new AllocationError("no-block", "the pool has no free block"), `11 | no-block | ${address} the pool has no free block`],
    [new AllocationError("unknown-pool", "there is no such pool"), `11 | unknown-pool | ${address} there is no such pool`],
    [new CniError(CNI_ERROR.unknownContainer, "There is no pod ns/p"), "3 | unknown-pod | There is no pod ns/p"],
    [new PodNetworkError("namespace-gone", "gone"), `3 | namespace-gone | ${network} gone`],
    [new PodNetworkError("interface-exists", "exists"), `4 | interface-exists | ${network} exists`],
    [new PodNetworkError("not-a-namespace", "file"), `4 | not-a-namespace | ${network} file`],
    [new PodNetworkError("host-namespace", "host"), `8 | host-namespace | ${network} host`],
    [new PodNetworkError("invalid-attachment", "long"), `7 | invalid-attachment | ${network} long`],
    [new PodNetworkError("address-in-use", "used"), `11 | address-in-use | ${network} used`],
    [new PodNetworkError("kernel", "refused", { cause: new Error("EPERM") }), `999 | kernel | ${network} refused | EPERM`],
    [new ApiError("GET pod", { code: 403, message: "forbidden" }), `11 | api | ${network} GET pod: forbidden`],
    [new ConnectionError("GET pod", "ECONNREFUSED"), `11 | api | ${network} GET pod: ECONNREFUSED`],
    [new TypeError("surprise"), `999 | internal | ${network} surprise`],
    ["text", `999 | internal | ${network} text`],
  ];
  for (const [error, expected] of cases) assert.equal(outcome(error), expected);
});
