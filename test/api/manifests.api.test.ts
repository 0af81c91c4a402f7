import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type ApiServer, startApiServer } from "../support/api-server.ts";
import { applyManifests, kubectl } from "../support/kubectl.ts";

let server: ApiServer;

before(async () => {
  server = await startApiServer();
  await applyManifests(server);
});
after(() => server[Symbol.asyncDispose]());

test("applying the manifests once more changes nothing", async () => {
  const lines = (await applyManifests(server)).trim().split("\n");
  assert.deepEqual(
    lines.filter((line) => !line.endsWith(" unchanged")),
    [],
  );
});

const REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
const VERBS = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];
const RESOURCES = [
  ...["pods", "pods/status", "pods/exec", "nodes", "nodes/status", "namespaces", "events", "services", "secrets", "configmaps"],
  ...["serviceaccounts", "serviceaccounts/token", "leases.coordination.k8s.io", "deployments.apps"],
  ...["clusterrolebindings.rbac.authorization.k8s.io", "validatingwebhookconfigurations.admissionregistration.k8s.io"],
  ...["addresspools", "addressblocks", "blockrequests", "egresses"].flatMap((plural) =>
    ["", "/status", "/finalizers"].map((subresource) => `${plural}${subresource}.coil.cybozu.com`),
  ),
];

const READ = "get list watch";
const ALLOWED: Record<string, Record<string, string>> = {
  coild: {
    pods: READ,
    nodes: READ,
    namespaces: READ,
    events: "create patch",
    "addresspools.coil.cybozu.com": READ,
    "addressblocks.coil.cybozu.com": `${READ} update patch delete`,
    "blockrequests.coil.cybozu.com": `${READ} create delete`,
  },
  "coil-ipam-controller": {
    nodes: READ,
    events: "create patch",
    "leases.coordination.k8s.io": "create",
    "leases.coordination.k8s.io coil-ipam-leader": `${READ} create update patch`,
    "addresspools.coil.cybozu.com": `${READ} update patch`,
    "addresspools/status.coil.cybozu.com": "get update patch",
    "addresspools/finalizers.coil.cybozu.com": "update",
    "addressblocks.coil.cybozu.com": `${READ} create update patch delete`,
    "blockrequests.coil.cybozu.com": `${READ} delete`,
    "blockrequests/status.coil.cybozu.com": "get update patch",
  },
  "coil-router": {
    nodes: READ,
    "addressblocks.coil.cybozu.com": READ,
  },
};

for (const [account, allowed] of Object.entries(ALLOWED)) {
  test(`${account} may do what it needs and no more`, async () => {
    const found: Record<string, string> = {};
    for (const resource of [...RESOURCES, "leases.coordination.k8s.io coil-ipam-leader"]) {
      const answers = await Promise.all(VERBS.map((verb) => isAllowed(`kube-system:${account}`, verb, resource)));
      const verbs = VERBS.filter((_, i) => answers[i]).join(" ");
      if (verbs !== "") found[resource] = verbs;
    }
    assert.deepEqual(found, allowed);
  });
}

test("who may view, edit or administer a namespace sees the custom resources", async () => {
  const verbs = await kubectl(server, [
    ...["get", "clusterroles", "-l", "rbac.authorization.k8s.io/aggregate-to-view=true,app.kubernetes.io/name=coil"],
    ...["-o", 'jsonpath={range .items[*]}{.metadata.name}: {.rules[*].resources[*]}: {.rules[*].verbs[*]}{"\\n"}{end}'],
  ]);
  assert.deepEqual(verbs.trim().split("\n").sort(), [
    "coilv2-addressblock-viewer-role: addressblocks addressblocks/status: get list watch get",
    "coilv2-addresspool-viewer-role: addresspools addresspools/status: get list watch get",
    "coilv2-blockrequest-viewer-role: blockrequests blockrequests/status: get list watch get",
    "coilv2-egress-viewer-role: egresses egresses/status: get list watch get",
  ]);
});

/** `resource` is `plural[/subresource][.group][ name]`. */
async function isAllowed(account: string, verb: string, resource: string): Promise<boolean> {
  const [kind = "", name] = resource.split(" ");
  const dot = kind.indexOf(".");
  const [plural, subresource] = (dot < 0 ? kind : kind.slice(0, dot)).split("/");
  const group = dot < 0 ? "" : kind.slice(dot + 1);
  const resourceAttributes = { namespace: "kube-system", verb, group, resource: plural, subresource, name };
  const body = {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SubjectAccessReview",
    spec: {
      user: `system:serviceaccount:${account}`,
      groups: ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"],
      resourceAttributes,
    },
  };
  const signal = AbortSignal.timeout(30_000);
  const answer = await server.client.raw({ method: "POST", path: REVIEWS, body }, { signal });
  assert.equal(answer.status, 201, answer.body);
  return (JSON.parse(answer.body) as { status: { allowed: boolean } }).status.allowed;
}
