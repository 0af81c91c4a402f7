import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createTestNamespace } from "../../../test/support/netns.ts";
import { KernelError } from "../kernel-error.ts";
import { readSysctl, writeSysctl } from "./sysctl.ts";

test("settings are read and written in their namespace, and nowhere else", async () => {
  await using first = await createTestNamespace();
  await using second = await createTestNamespace();
  const here = readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8").trimEnd();
  const before = readSysctl("net.ipv4.ip_forward", second.ns);
  writeSysctl("net.ipv4.ip_forward", before === "1" ? "0" : "1", first.ns);
  assert.notEqual(readSysctl("net.ipv4.ip_forward", first.ns), before);
  assert.equal(await first.exec("cat", "/proc/sys/net/ipv4/ip_forward"), readSysctl("net.ipv4.ip_forward", first.ns));
  assert.equal(readSysctl("net.ipv4.ip_forward", second.ns), before);
  assert.equal(readSysctl("net.ipv4.ip_forward"), here);
});

test("what others change is read at once", async () => {
  await using space = await createTestNamespace();
  await space.exec("sh", "-c", "echo 7 > /proc/sys/net/ipv4/conf/lo/arp_ignore");
  assert.equal(readSysctl("net.ipv4.conf.lo.arp_ignore", space.ns), "7");
});

test("the name of a link may hold dots when the parts are given", async () => {
  await using space = await createTestNamespace();
  await space.ip("link add eth0.7 type bridge");
  const name = ["net", "ipv6", "conf", "eth0.7", "accept_ra"];
  writeSysctl(name, "0", space.ns);
  assert.equal(readSysctl(name, space.ns), "0");
  assert.equal(readSysctl("net.ipv6.conf.eth0.7.accept_ra", space.ns), undefined);
});

test("a setting that does not exist is undefined when read and ENOENT when written", async () => {
  await using space = await createTestNamespace();
  assert.equal(readSysctl("net.ipv4.conf.nothing.arp_ignore", space.ns), undefined);
  assert.equal(readSysctl("net.ipv4.no_such_setting"), undefined);
  for (const namespace of [space.ns, undefined]) {
    assert.throws(
      () => writeSysctl("net.ipv4.no_such_setting", "1", namespace),
      (error) => error instanceof KernelError && error.code === "ENOENT",
    );
  }
});

test("a value that cannot be is refused with the name and the value", async () => {
  await using space = await createTestNamespace();
  assert.throws(
    () => writeSysctl("net.ipv4.ip_forward", "many", space.ns),
    (error) =>
      error instanceof KernelError &&
      error.code === "EINVAL" &&
      error.operation === 'write "many" to /proc/sys/net/ipv4/ip_forward',
  );
});

test("a name cannot lead out of /proc/sys", () => {
  for (const name of [["net", ".."], ["net", "a/b"], [""], "net..ipv4"]) assert.throws(() => readSysctl(name), RangeError);
});
