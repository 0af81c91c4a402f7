import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { createFaultyKernel, type Fault } from "../../../test/support/faulty-kernel.ts";
import { attachmentOf, createPodHost, type PodHost } from "../../../test/support/pod-host.ts";
import { createTemporaryDirectory } from "../../../test/support/temporary-directory.ts";
import { PodNetworkError } from "../pod-network-error.ts";
import { linuxKernel } from "./kernel.ts";

const { signal } = new AbortController();
const failsWith = (code: PodNetworkError["code"], message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof PodNetworkError, String(error));
  assert.deepStrictEqual({ code: error.code, leftBehind: error.leftBehind }, { code, leftBehind: false });
  assert.match(error.message, message);
  return true;
};

async function podLinks(lab: PodHost): Promise<string> {
  return lab.host.ip("-brief link show type veth").then((text) => text.replace(/^eth0@.*\n?/m, ""));
}

test("`setUp()` repeated keeps a network that is whole, and rebuilds one that is not", async () => {
  await using lab = await createPodHost();
  const network = lab.network();
  await network.initialise(signal);
  const pod = await lab.podNamespace();
  const options = { netns: pod.path, signal };
  const first = await network.setUp(attachmentOf(1), options);
  const links = await lab.host.ip("link");
  assert.deepStrictEqual(await network.setUp(attachmentOf(1), options), first);
  assert.equal(await lab.host.ip("link"), links, "nothing was touched");

  await pod.ip("address flush dev eth0");
  assert.deepStrictEqual(await network.setUp(attachmentOf(1), options), first);
  assert.deepStrictEqual(await network.check(attachmentOf(1), options), []);

  const other = attachmentOf(2);
  assert.ok(other.ipv4);
  const moved = { ...attachmentOf(1), ipv4: other.ipv4 };
  await network.setUp(moved, options);
  assert.match(await pod.ip("-4 address show dev eth0"), /10\.2\.0\.2\/32/);
  assert.match(await lab.host.ip("route show table 116"), /^10\.2\.0\.2 \S+ \S+ proto 30 .*$/);

  const elsewhere = await lab.podNamespace();
  await network.setUp(attachmentOf(1), { netns: elsewhere.path, signal });
  assert.equal(await pod.ip("link show type veth"), "", "the earlier namespace has it no more");
});

test("`setUp()` leaves an interface of somebody else in the pod alone, and says so", async () => {
  await using lab = await createPodHost();
  const network = lab.network();
  await network.initialise(signal);
  const pod = await lab.podNamespace();
  await pod.ip("link add eth0 type bridge");
  const before = await pod.ip("link");
  await assert.rejects(
    network.setUp(attachmentOf(1), { netns: pod.path, signal }),
    failsWith("interface-exists", /c1:eth0: the pod already has an interface eth0/),
  );
  assert.equal(await pod.ip("link"), before);
  assert.equal(await podLinks(lab), "");
});

test("`setUp()` tells what is wrong with a path that leads to no pod's namespace, and does not hang on a FIFO", async () => {
  await using lab = await createPodHost();
  await using directory = await createTemporaryDirectory("coil-netns-");
  const network = lab.network();
  await network.initialise(signal);
  const file = `${directory.path}/file`;
  writeFileSync(file, "");
  const fifo = `${directory.path}/fifo`;
  await lab.host.exec("mkfifo", fifo);
  for (const [netns, code, message] of [
    [`${directory.path}/none`, "namespace-gone", /there is no such network namespace/],
    [file, "not-a-namespace", /it is not a network namespace/],
    [fifo, "not-a-namespace", /it is not a network namespace/],
    [lab.host.path, "host-namespace", /it is the node's own/],
  ] as const) {
    await assert.rejects(network.setUp(attachmentOf(1), { netns, signal }), failsWith(code, message));
  }
  await assert.rejects(
    network.setUp({ ...attachmentOf(1), network: "n".repeat(200) }, { netns: (await lab.podNamespace()).path, signal }),
    failsWith("invalid-attachment", /take a shorter network name/),
  );
});

test("`setUp()` never gives an address to a second link: neither one of ours nor one of the Go implementation", async () => {
  await using lab = await createPodHost();
  const network = lab.network();
  await network.initialise(signal);
  const [one, two] = [await lab.podNamespace(), await lab.podNamespace()];
  const { hostInterface } = await network.setUp(attachmentOf(1), { netns: one.path, signal });
  const second = { ...attachmentOf(1), key: "c2:eth0", containerId: "c2" };
  await assert.rejects(
    network.setUp(second, { netns: two.path, signal }),
    failsWith(
      "address-in-use",
      new RegExp(`c2:eth0: 10\\.2\\.0\\.1 belongs to link ${hostInterface} \\(COIL:default:c1:eth0\\)`),
    ),
  );
  assert.match(await lab.host.ip("route show table 116"), new RegExp(`^10\\.2\\.0\\.1 dev ${hostInterface} [^\\n]*$`));
  assert.equal(await two.ip("link show type veth"), "");
  await network.tearDown("c1:eth0", { signal });

  await lab.host.ip("link add vethaaaaaaaa type bridge");
  await lab.host.ip("link set vethaaaaaaaa up alias COIL:default:old:eth0");
  await lab.host.ip("route add 10.2.0.1 dev vethaaaaaaaa proto 30 table 116");
  await assert.rejects(
    network.setUp(second, { netns: two.path, signal }),
    failsWith("address-in-use", /its address is another link's/),
  );
  assert.match(await lab.host.ip("route show table 116"), /^10\.2\.0\.1 dev vethaaaaaaaa [^\n]*$/);
});

test("`setUp()` takes another name when a foreign link has its own", async () => {
  await using lab = await createPodHost();
  const network = lab.network();
  await network.initialise(signal);
  await lab.host.ip("link add veth979b3526 type bridge");
  const pod = await lab.podNamespace();
  const { hostInterface } = await network.setUp(attachmentOf(1), { netns: pod.path, signal });
  assert.match(hostInterface, /^veth(?!979b3526)[0-9a-f]{8}$/);
  assert.match(await lab.host.ip("link show veth979b3526"), /veth979b3526/);
});

test("with Calico's names, a new sandbox of a pod takes the place of the earlier one", async () => {
  await using lab = await createPodHost();
  const network = lab.network({}, { compatCalico: true });
  await network.initialise(signal);
  const gone: string[] = [];
  network.onGone((key) => gone.push(key));
  const [one, two] = [await lab.podNamespace(), await lab.podNamespace()];
  const first = await network.setUp(attachmentOf(1), { netns: one.path, signal });
  assert.equal(first.hostInterface, "veth83dbd022cd5");
  const next = { ...attachmentOf(2), podName: "pod-1" };
  assert.equal((await network.setUp(next, { netns: two.path, signal })).hostInterface, first.hostInterface);
  assert.deepStrictEqual(gone, ["c1:eth0"]);
  assert.deepStrictEqual(
    network.observed().map(({ key }) => key),
    ["c2:eth0"],
  );
});

test("`setUp()` works in a namespace, and on a node, where IPv6 is switched off by default", async () => {
  await using lab = await createPodHost();
  const network = lab.network();
  await network.initialise(signal);
  const pod = await lab.podNamespace();
  for (const space of [pod, lab.host]) await space.exec("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6");
  await network.setUp(attachmentOf(1), { netns: pod.path, signal });
  assert.deepStrictEqual(await network.check(attachmentOf(1), { netns: pod.path, signal }), []);
  await pod.exec("ping", "-c1", "-W1", "2001:db8::10");
  assert.equal(
    await pod.exec("cat", "/proc/sys/net/ipv6/conf/default/disable_ipv6"),
    "1",
    "nothing but the interface was changed",
  );
});

test("`setUp()` that fails, loses an answer or is aborted at any call to the kernel leaves nothing, and works the next time", async () => {
  await using lab = await createPodHost();
  const faulty = createFaultyKernel();
  const network = lab.network({ kernel: faulty.kernel });
  await network.initialise(signal);
  const pod = await lab.podNamespace();
  const descriptors = () => readdirSync("/proc/self/fd").length;
  const before = descriptors();
  let tried = 0;
  for (const kind of ["refused", "answer-lost", "aborted", "deleted"] as const) {
    for (let at = 0; ; at++) {
      const controller = new AbortController();
      const faults: Record<typeof kind, Fault> = {
        refused: "refused",
        "answer-lost": "answer-lost",
        aborted: () => controller.abort(new Error("the caller went away")),
        deleted: async () => void (await lab.host.ip("link delete veth979b3526").catch(() => "")),
      };
      let struck = "";
      faulty.plan((call) => {
        if (call !== at) return undefined;
        struck = "struck";
        return faults[kind];
      });
      const result = await network.setUp(attachmentOf(1), { netns: pod.path, signal: controller.signal }).then(
        () => "made",
        (error: unknown) => error,
      );
      const calls = faulty.calls.join(" ");
      await faulty.idle();
      faulty.plan(() => undefined);
      const where = `${kind} at call ${at} of: ${calls}`;
      if (result === "made") {
        // What is deleted before it was there, or after it is complete, is not the set-up's business.
        assert.ok(struck === "" || kind === "deleted", where);
        await network.tearDown("c1:eth0", { signal });
      }
      if (struck === "") break;
      tried++;
      assert.equal(await podLinks(lab), "", where);
      assert.equal(await pod.ip("link show type veth"), "", where);
      assert.equal(await lab.host.ip("route show table 116").catch(() => ""), "", where);
      assert.deepStrictEqual(network.observed(), [], where);
      assert.equal(descriptors(), before, where);
    }
  }
  assert.ok(tried >= 20, `only ${tried} faults struck`);
  await network.setUp(attachmentOf(1), { netns: pod.path, signal });
  assert.deepStrictEqual(await network.check(attachmentOf(1), { netns: pod.path, signal }), []);
});

test("a set-up that cannot be taken back is told as such, taken back later, and its address is reported free only then", async () => {
  await using lab = await createPodHost();
  const faulty = createFaultyKernel();
  const network = lab.network({ kernel: faulty.kernel });
  await network.initialise(signal);
  const gone: string[] = [];
  network.onGone((key) => gone.push(key));
  const pod = await lab.podNamespace();
  // Calls 0 and 1 open the namespace and a socket, 2 makes the pair; from the pod's end on everything fails.
  faulty.plan((call) => (call >= 3 ? "refused" : undefined));
  await assert.rejects(network.setUp(attachmentOf(1), { netns: pod.path, signal }), (error: unknown) => {
    assert.ok(error instanceof PodNetworkError);
    return error.leftBehind;
  });
  assert.notEqual(await podLinks(lab), "");
  assert.deepStrictEqual([network.observed(), gone], [[], []]);
  faulty.plan(() => undefined);
  lab.start(network);
  await eventually("the link to be reported gone", 5000, async () => gone.length > 0);
  assert.equal(await podLinks(lab), "");
  assert.deepStrictEqual(gone, ["c1:eth0"]);
});

test("on a kernel whose link watch has to be waited for, the first packet is answered too", async () => {
  await using lab = await createPodHost();
  const network = lab.network({ kernel: { ...linuxKernel, syncsCarrier: false } });
  await network.initialise(signal);
  for (let n = 1; n <= 5; n++) {
    const pod = await lab.podNamespace();
    await network.setUp(attachmentOf(n), { netns: pod.path, signal });
    await pod.exec("ping", "-c1", "-W1", "192.0.2.10");
  }
});

test("a tear-down whose caller goes away goes on to its end, and one that follows joins it", async () => {
  await using lab = await createPodHost();
  const network = lab.network();
  await network.initialise(signal);
  const pod = await lab.podNamespace();
  await network.setUp(attachmentOf(1), { netns: pod.path, signal });
  const controller = new AbortController();
  const aborted = network.tearDown("c1:eth0", { signal: controller.signal });
  setTimeout(() => controller.abort(new Error("the caller went away")), 1);
  await assert.rejects(aborted, /the caller went away/);
  const made = await network.setUp(attachmentOf(1), { netns: pod.path, signal });
  assert.match(await pod.ip("link show eth0"), new RegExp(made.podMac));
  assert.deepStrictEqual(await network.check(attachmentOf(1), { netns: pod.path, signal }), []);
});
