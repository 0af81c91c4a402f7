import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFlags } from "../../observe/flags.ts";
import { COILD_FLAGS, flagsProblem, nodeNameProblem } from "./flags.ts";

test("the arguments of existing manifests are accepted", () => {
  const argv = [
    "--enable-ipam=true",
    "--enable-egress=true",
    "--export-table-id=120",
    "--compat-calico",
    "--egress-port=5555",
    "--backend=nftables",
  ];
  const parsed = parseFlags(COILD_FLAGS, [
    ...argv,
    "--register-from-main=true",
    "--enable-originating-only",
    "--addressblock-gc-interval=1m",
  ]);
  assert.ok(parsed.kind === "values");
  assert.equal(parsed.values["export-table-id"], 120);
  assert.equal(parsed.values["addressblock-gc-interval"], 60_000);
  assert.deepEqual(parsed.ignored, ["egress-port", "backend", "register-from-main", "enable-originating-only"]);
});

test("settings that cannot be served are named", () => {
  const problem = (ipam: boolean, egress: boolean) => flagsProblem({ "enable-ipam": ipam, "enable-egress": egress });
  assert.equal(problem(false, false), "configuration error: both IPAM and egress are disabled");
  assert.match(problem(false, true) ?? "", /not supported yet/);
  assert.equal(problem(true, false), undefined);
  assert.equal(parseFlags(COILD_FLAGS, ["--socket=coild.sock"]).kind, "invalid");
});

test("a node needs a name that can be a label", () => {
  assert.equal(nodeNameProblem(""), "COIL_NODE_NAME environment variable should be set");
  assert.match(nodeNameProblem("n".repeat(64)) ?? "", /longer than 63/);
  assert.equal(nodeNameProblem("n".repeat(63)), undefined);
});
